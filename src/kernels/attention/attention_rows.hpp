#pragma once

#include <cstddef>

#include "kernels/attention/attention_tile.hpp"

// Rows of a head: between scratch, where they lie side by side in fp32, and tensors.
namespace ballast::kernels {

/// A matrix in scratch.
struct ScratchRows {
  const float* data;
  std::size_t rows;
  std::size_t cols;
  std::size_t stride;
};

/// out = factor x, rounded to the type of `out`.
void scale_rows(const ScratchRows& x, float factor, const HeadRows<std::byte>& out);
/// Each row divided by its divisor.
void divide_rows(const ScratchRows& x, const float* divisors, const HeadRows<std::byte>& out);

/// dot[r] = Σ x[r] y[r], of rows of one type.
void row_dots(const HeadRows<const std::byte>& x, const HeadRows<const std::byte>& y,
              std::size_t rows, std::size_t cols, float* dot);

/// sums[r] = the sum of lanes[r]: [rows, kLanes]
void row_sums(const float* lanes, std::size_t rows, float* sums);

}  // namespace ballast::kernels
