#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/team.hpp"
#include "kernels/store.hpp"

namespace ballast::kernels {

/// Where a sum over rows goes, column by column: the gradient of what every row was multiplied with
/// or was added to.
struct ColumnSums {
  std::span<float> values;  ///< [width]; empty: it is not wanted
  Store store;
  std::span<float> scratch;  ///< column_sums_numel
};

/// Rows that are summed up by themselves: of how many they are depends on `rows` alone.
[[nodiscard]] std::size_t rows_of_a_part(std::size_t rows);

/// The floats of scratch that sums over parts of the rows need.
[[nodiscard]] std::size_t column_sums_numel(std::size_t rows, std::size_t width);

/// Throws an internal Error if the scratch is too small.
void require_scratch(const ColumnSums& target, std::size_t rows, std::size_t width);

/// values = or += the sums of all parts, in their order.
void add_parts(const ColumnSums& target, std::size_t rows, std::size_t width);

/// add(first, count, sums) for each part of the rows, which adds its rows from the first on to
/// `sums`: [width], zero before; then the sum over the parts.
template <class Add>
void sum_columns(Team* team, std::size_t rows, std::size_t width, const ColumnSums& target,
                 Add&& add) {
  require_scratch(target, rows, width);
  const std::size_t part = rows_of_a_part(rows);
  run_tasks(team, (rows + part - 1) / part, [&](std::size_t task, std::size_t) {
    const auto sums = target.scratch.subspan(task * width, width);
    std::ranges::fill(sums, 0.0f);
    add(task * part, std::min(part, rows - task * part), sums);
  });
  add_parts(target, rows, width);
}

}  // namespace ballast::kernels
