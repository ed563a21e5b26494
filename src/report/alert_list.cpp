#include "report/alert_list.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "storage/allowance.hpp"

namespace ballast::report {

namespace {

/// Unknown words are taken for the mildest.
int gravity(const storage::Json& alert) {
  const std::string severity = storage::text_at(alert, "severity");
  if (severity == "critical") return 2;
  return severity == "warning" ? 1 : 0;
}

storage::Json cut_down(std::uint64_t step, const storage::Json& object) {
  const auto layer = object.find("layer");
  const bool has_layer = layer != object.end() && layer->is_number_unsigned();
  return {{"step", step},
          {"kind", storage::text_at(object, "kind")},
          {"severity", storage::text_at(object, "severity")},
          {"layer", has_layer ? *layer : storage::Json(nullptr)},
          {"message", storage::text_at(object, "message")},
          {"action", storage::text_at(object, "action")}};
}

std::size_t bytes_of(const storage::Json& alert) {
  constexpr std::size_t kMemberBytes = 96;
  std::size_t bytes = 0;
  for (const auto& value : alert) {
    bytes += kMemberBytes + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  }
  return bytes;
}

}  // namespace

AlertList AlertList::read(const std::filesystem::path& file) {
  AlertList list;
  storage::Allowance allowance{file};
  std::size_t left_out = 0;
  list.unreadable = storage::read_log(file, [&](std::uint64_t step, const storage::Json& object) {
    storage::Json alert = cut_down(step, object);
    if (!allowance.take(bytes_of(alert))) {
      ++left_out;
      return;
    }
    list.alerts.push_back(std::move(alert));
    if (storage::text_at(object, "kind") == "risk") {
      list.threshold = short_number(storage::number_at(object, "threshold"));
    }
  });
  list.unreadable += left_out;
  return list;
}

storage::Json AlertList::to_json(std::size_t limit) const {
  std::vector<std::size_t> order(alerts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{},
                           [&](std::size_t i) { return gravity(alerts[i]); });
  order.resize(std::min(limit, order.size()));
  std::ranges::sort(order);
  storage::Json kept = storage::Json::array();
  for (const std::size_t i : order) kept.push_back(alerts[i]);
  return kept;
}

storage::Json AlertList::counts() const {
  storage::Json counts{{"info", 0}, {"warning", 0}, {"critical", 0}};
  constexpr const char* kNames[] = {"info", "warning", "critical"};
  for (const auto& alert : alerts) {
    storage::Json& count = counts[kNames[gravity(alert)]];
    count = count.get<int>() + 1;
  }
  return counts;
}

}  // namespace ballast::report
