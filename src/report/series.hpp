#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "report/short_number.hpp"

namespace ballast::report {

/// Points of one curve that a page carries at most.
inline constexpr std::size_t kPoints = 2000;

/// Numbers over steps; NaN where there is none.
struct Series {
  std::vector<std::uint64_t> steps;
  std::vector<double> values;

  /// Bytes that a point takes, with the room that is kept for the next ones.
  static constexpr std::size_t kPointBytes = 18;
  void add(std::uint64_t step, double value);
};

/// Which of `values` to keep so that no more than `limit` (5 or more) are left: the first and the
/// last, and of each stretch the smallest, the largest and a missing one, so that neither peaks nor
/// gaps are lost. In order.
[[nodiscard]] std::vector<std::size_t> thinned(std::span<const double> values, std::size_t limit);

/// Stretches of a whole that are next to each other and nearly equally long, `limit` at most.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
};
[[nodiscard]] std::vector<Stretch> stretches(std::size_t size, std::size_t limit);

/// {"step": [...], "value": [...], "of": points before thinning}
[[nodiscard]] storage::Json to_json(const Series& series, std::size_t limit = kPoints);

}  // namespace ballast::report
