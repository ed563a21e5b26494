#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/gemm/gemm.hpp"

/// Sums of products over rows in fixed point: Σ a_i b_j is kept as an integer times
/// 2^(e_i + e_j − bits), where every |a_i| < 2^e_i and |b_j| < 2^e_j.
namespace ballast::monitor::fixed_point {

/// Rows that are widened at a time: what they are multiplied into stays in the second-level cache.
inline constexpr std::size_t kChunkRows = 256;

/// Up to kChunkRows rows from `first` on.
[[nodiscard]] inline kernels::MatrixView<const float> chunk_of(
    const kernels::MatrixView<const float>& rows, std::size_t first) {
  return {rows.data + first * rows.stride, std::min(kChunkRows, rows.rows - first), rows.cols,
          rows.stride};
}

/// Binary digits that sums over `max_samples` rows leave for a product: none of them overflows.
[[nodiscard]] int bits_for(std::size_t max_samples);

/// How many values of rows − shift are not finite.
[[nodiscard]] std::size_t count_nonfinite(kernels::MatrixView<const float> rows,
                                          std::span<const float> shift);

/// Raises exponents [columns] until |rows − shift| < 2^e holds in each column whose values are all
/// finite; those of other columns stay.
void raise_exponents(kernels::MatrixView<const float> rows, std::span<const float> shift,
                     std::span<std::int32_t> exponents);

/// rows − shift in double [rows, columns].
void widen(kernels::MatrixView<const float> rows, std::span<const float> shift,
           std::span<double> out);

/// sums [columns] += each row of `rows` [count, columns], in order.
void add_rows(std::span<const double> rows, std::size_t count, std::span<double> sums);

/// The same of their squares.
void add_squares_of_rows(std::span<const double> rows, std::size_t count, std::span<double> sums);

/// words += values in fixed point; exponent of a value: `row_exponent` + that of its column. Throws
/// an internal Error where a value is beyond what the exponents promise.
void add(std::span<const double> values, std::int32_t row_exponent,
         std::span<const std::int32_t> exponents, int bits, std::span<std::int64_t> words);

/// out = words as doubles: the inverse of add.
void read(std::span<const std::int64_t> words, std::int32_t row_exponent,
          std::span<const std::int32_t> exponents, int bits, std::span<double> out);

}  // namespace ballast::monitor::fixed_point
