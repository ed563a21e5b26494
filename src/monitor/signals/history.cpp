#include "monitor/signals/history.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"

namespace ballast::monitor {

namespace {

constexpr std::size_t kMost = 64;
constexpr double kDeviationOfMad = 1.4826;

}  // namespace

void History::push(double value) {
  if (is_full()) values_.erase(values_.begin());
  values_.push_back(value);
}

void History::assign(std::span<const double> values) {
  const std::size_t kept = std::min(values.size(), capacity_);
  values_.assign(values.end() - static_cast<std::ptrdiff_t>(kept), values.end());
}

double median(std::span<const double> values) {
  if (values.size() > kMost) throw internal_error("a median of more than {} values", kMost);
  std::array<double, kMost> sorted{};
  const auto end =
      std::ranges::copy_if(values, sorted.begin(), [](double x) { return !std::isnan(x); }).out;
  const auto count = static_cast<std::size_t>(end - sorted.begin());
  if (count == 0) return std::nan("");
  std::sort(sorted.begin(), end);
  const std::size_t middle = count / 2;
  return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0;
}

double robust_z(double value, std::span<const double> values, double least) {
  const double center = median(values);
  std::array<double, kMost> distances{};
  const auto end = std::ranges::transform(values, distances.begin(), [&](double x) {
                     return std::abs(x - center);
                   }).out;
  const double mad = median({distances.begin(), static_cast<std::size_t>(end - distances.begin())});
  return (value - center) / std::max(kDeviationOfMad * mad, least);
}

}  // namespace ballast::monitor
