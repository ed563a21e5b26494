#include "train/measure/profile_table.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace ballast::train {

namespace {

double seconds_of(std::int64_t ns) { return 1e-9 * static_cast<double>(ns); }

/// The time of each span without that of the spans within it.
std::vector<std::int64_t> own_times(std::span<const ProfileEvent> events) {
  std::vector<std::int64_t> own;
  std::vector<std::size_t> around;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const ProfileEvent& event = events[i];
    const std::int64_t duration = event.end_ns - event.start_ns;
    own.push_back(duration);
    while (!around.empty() && events[around.back()].depth >= event.depth) around.pop_back();
    if (!around.empty()) own[around.back()] -= duration;
    around.push_back(i);
  }
  return own;
}

/// Which spans lie within a step.
std::vector<bool> within_steps(std::span<const ProfileEvent> events) {
  std::vector<bool> within;
  std::int64_t step_end = 0;
  for (const ProfileEvent& event : events) {
    if (event.region == Region::step) step_end = event.end_ns;
    within.push_back(event.end_ns <= step_end);
  }
  return within;
}

using Rows = std::map<std::pair<std::string, std::string>, ProfileRow>;

ProfileRow& row_of(Rows& rows, const ProfileEvent& event, const SpanNames& names) {
  const std::string name =
      is_phase(event.region) ? names.kind(event) + ": the rest" : names.kind(event);
  ProfileRow& row = rows[{name, SpanNames::shape(event)}];
  row.name = name;
  row.shape = SpanNames::shape(event);
  return row;
}

double ceiling_of(const ProfileEvent& event, const Ceilings& ceilings, ElementType compute) {
  if (event.work.flop > 0.0) {
    return ceilings.products_of(is_product(event.region) ? static_cast<ElementType>(event.detail[3])
                                                         : compute);
  }
  return event.work.bytes > 0.0 ? ceilings.memory : 0.0;
}

std::vector<ProfileRow> finished(const Rows& rows, double total_s) {
  std::vector<ProfileRow> list;
  for (const auto& [key, row] : rows) list.push_back(row);
  for (ProfileRow& row : list) {
    if (total_s > 0.0) row.share = row.seconds / total_s;
    const double amount = row.work.flop > 0.0 ? row.work.flop : row.work.bytes;
    if (row.seconds > 0.0) row.rate = amount / row.seconds;
  }
  std::ranges::stable_sort(list, std::greater{}, &ProfileRow::seconds);
  return list;
}

std::string rate_text(const ProfileRow& row) {
  if (row.rate == 0.0) return {};
  return fmt::format("{:.1f} {}", row.rate * 1e-9, row.work.flop > 0.0 ? "GFLOP/s" : "GB/s");
}

std::string ceiling_text(const ProfileRow& row) {
  if (row.rate == 0.0 || row.ceiling == 0.0) return {};
  return fmt::format("{:.2f}", row.rate / row.ceiling);
}

std::string share_text(const ProfileRow& row) {
  return row.share == 0.0 ? "" : fmt::format("{:.1f}%", 100.0 * row.share);
}

std::string line_of(const ProfileRow& row, double steps) {
  return fmt::format("{:<28} {:<24} {:>8.1f} {:>9.2f} {:>7} {:>15} {:>8}\n", row.name, row.shape,
                     static_cast<double>(row.calls) / steps, 1e3 * row.seconds / steps,
                     share_text(row), rate_text(row), ceiling_text(row));
}

}  // namespace

ProfileTable make_profile_table(std::span<const ProfileEvent> events, const SpanNames& names,
                                const Ceilings& ceilings, ElementType compute) {
  const auto own = own_times(events);
  const auto within = within_steps(events);
  Rows rows, beside;
  ProfileTable table;
  double total_s = 0.0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const ProfileEvent& event = events[i];
    if (event.region == Region::step) {
      ++table.steps;
      total_s += seconds_of(event.end_ns - event.start_ns);
    }
    ProfileRow& row = row_of(within[i] ? rows : beside, event, names);
    ++row.calls;
    row.seconds += seconds_of(own[i]);
    row.work.flop += event.work.flop;
    row.work.bytes += event.work.bytes;
    row.ceiling = ceiling_of(event, ceilings, compute);
  }
  if (table.steps > 0) table.step_s = total_s / static_cast<double>(table.steps);
  table.rows = finished(rows, total_s);
  table.beside = finished(beside, 0.0);
  return table;
}

std::string to_text(const ProfileTable& table) {
  const auto steps = static_cast<double>(std::max<std::size_t>(1, table.steps));
  std::string text = fmt::format("{:<28} {:<24} {:>8} {:>9} {:>7} {:>15} {:>8}\n", "kernel",
                                 "m x n x k", "calls", "ms", "share", "rate", "ceiling");
  for (const ProfileRow& row : table.rows) text += line_of(row, steps);
  text += fmt::format("{:<28} {:<24} {:>8} {:>9.2f} {:>6.1f}%\n", "a step", "", "",
                      1e3 * table.step_s, 100.0);
  if (table.beside.empty()) return text;
  text += "between the steps, in all\n";
  for (const ProfileRow& row : table.beside) text += line_of(row, 1.0);
  return text;
}

}  // namespace ballast::train
