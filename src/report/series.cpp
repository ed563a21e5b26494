#include "report/series.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace ballast::report {

namespace {

/// Room for an eighth more: doubling would keep half of a long log's memory empty.
template <class T>
void make_room(std::vector<T>& list) {
  if (list.size() == list.capacity()) list.reserve(list.size() + list.size() / 8 + 8);
}

}  // namespace

void Series::add(std::uint64_t step, double value) {
  make_room(steps);
  make_room(values);
  steps.push_back(step);
  values.push_back(value);
}

std::vector<Stretch> stretches(std::size_t size, std::size_t limit) {
  const std::size_t parts = std::min(size, limit);
  std::vector<Stretch> all;
  for (std::size_t i = 0; i < parts; ++i) {
    all.push_back({i * size / parts, (i + 1) * size / parts});
  }
  return all;
}

std::vector<std::size_t> thinned(std::span<const double> values, std::size_t limit) {
  std::vector<std::size_t> kept;
  if (values.size() <= limit) {
    for (std::size_t i = 0; i < values.size(); ++i) kept.push_back(i);
    return kept;
  }
  kept = {0, values.size() - 1};
  for (const auto [begin, end] : stretches(values.size(), (limit - 2) / 3)) {
    std::optional<std::size_t> smallest;
    std::optional<std::size_t> largest;
    std::optional<std::size_t> missing;
    for (std::size_t i = begin; i < end; ++i) {
      if (std::isnan(values[i])) {
        missing = i;
        continue;
      }
      if (!smallest || values[i] < values[*smallest]) smallest = i;
      if (!largest || values[i] > values[*largest]) largest = i;
    }
    for (const auto& found : {smallest, largest, missing}) {
      if (found) kept.push_back(*found);
    }
  }
  std::ranges::sort(kept);
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

storage::Json to_json(const Series& series, std::size_t limit) {
  storage::Json steps = storage::Json::array();
  storage::Json values = storage::Json::array();
  for (const std::size_t i : thinned(series.values, limit)) {
    steps.push_back(series.steps[i]);
    values.push_back(short_number(series.values[i]));
  }
  return {{"step", std::move(steps)}, {"value", std::move(values)}, {"of", series.steps.size()}};
}

}  // namespace ballast::report
