#include "train/measure/profile_trace.hpp"

#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>

namespace ballast::train {

namespace {

using Text = fmt::memory_buffer;

template <class... Args>
void put(Text& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

std::string_view category_of(Region region) {
  if (is_phase(region)) return "phase";
  if (is_product(region)) return "product";
  return region < Region::gather ? "kernel" : "exchange";
}

void put_name(Text& text, const char* kind, int rank, const std::string& name) {
  put(text, R"({{"name":"{}","ph":"M","pid":{},"tid":0,"args":{{"name":{}}}}},)", kind, rank,
      quoted(name));
  text.push_back('\n');
}

/// What a click on the span shows.
void put_arguments(Text& text, const ProfileEvent& event) {
  const auto nanoseconds = static_cast<double>(event.end_ns - event.start_ns);
  const char* comma = "";
  const auto rate = [&](const char* unit, double amount) {
    if (amount == 0.0 || nanoseconds == 0.0) return;
    put(text, R"({}"{}":{:.2f})", comma, unit, amount / nanoseconds);
    comma = ",";
  };
  put(text, R"("args":{{)");
  rate("GFLOP/s", event.work.flop);
  rate("GB/s", event.work.bytes);
  if (is_product(event.region)) {
    put(text, R"({}"m x n x k":"{}")", comma, SpanNames::shape(event));
  }
  put(text, "}}");
}

/// Nanoseconds as microseconds, in integers: the rounding of floating-point numbers would make
/// neighbors overlap.
void put_microseconds(Text& text, const char* key, std::int64_t ns) {
  put(text, R"("{}":{}.{:03},)", key, ns / 1000, ns % 1000);
}

}  // namespace

std::string to_trace(std::span<const ProfileEvent> events, const SpanNames& names,
                     const TraceOrigin& origin) {
  Text text;
  put(text, R"({{"displayTimeUnit":"ns","traceEvents":[)");
  text.push_back('\n');
  put_name(text, "process_name", origin.rank,
           fmt::format("rank {} ({})", origin.rank, origin.host));
  put_name(text, "thread_name", origin.rank, "compute");
  put(text, R"({{"name":"process_sort_index","ph":"M","pid":{0},"args":{{"sort_index":{0}}}}})",
      origin.rank);
  for (const ProfileEvent& event : events) {
    put(text, ",\n");
    put(text, R"({{"name":{},"cat":"{}","ph":"X","pid":{},"tid":0,)", quoted(names.one(event)),
        category_of(event.region), origin.rank);
    put_microseconds(text, "ts", event.start_ns - origin.start_ns);
    put_microseconds(text, "dur", event.end_ns - event.start_ns);
    put_arguments(text, event);
    put(text, "}}");
  }
  put(text, "\n]}}\n");
  return {text.data(), text.size()};
}

}  // namespace ballast::train
