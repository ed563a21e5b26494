#include "kernels/column_sums.hpp"

#include "base/error.hpp"

namespace ballast::kernels {

std::size_t rows_of_a_part(std::size_t rows) {
  constexpr std::size_t kMostParts = 32;
  constexpr std::size_t kFewestRows = 16;
  return std::max(kFewestRows, (rows + kMostParts - 1) / kMostParts);
}

std::size_t column_sums_numel(std::size_t rows, std::size_t width) {
  const std::size_t part = rows_of_a_part(rows);
  return (rows + part - 1) / part * width;
}

void require_scratch(const ColumnSums& target, std::size_t rows, std::size_t width) {
  const std::size_t needed = column_sums_numel(rows, width);
  if (target.scratch.size() < needed) {
    throw internal_error("sums over {} rows of {} need {} floats of scratch, not {}", rows, width,
                         needed, target.scratch.size());
  }
}

void add_parts(const ColumnSums& target, std::size_t rows, std::size_t width) {
  if (target.values.empty()) return;
  if (target.store == Store::overwrite) std::ranges::fill(target.values, 0.0f);
  const auto sums = target.scratch.first(column_sums_numel(rows, width));
  for (std::size_t at = 0; at < sums.size(); at += width) {
    for (std::size_t c = 0; c < width; ++c) target.values[c] += sums[at + c];
  }
}

}  // namespace ballast::kernels
