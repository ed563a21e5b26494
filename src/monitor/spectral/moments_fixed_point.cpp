#include "monitor/spectral/moments_fixed_point.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "kernels/lanes/isa.hpp"

namespace ballast::monitor::fixed_point {

namespace {

constexpr int kWordBits = 62;
constexpr double kLargestWord = 0x1p62;

/// Columns whose magnitudes are gathered at a time: they stay in the first-level cache.
constexpr std::size_t kColumns = 256;

/// The largest magnitudes of the columns; and in `poison` 0 or, where a value was not finite, NaN.
BALLAST_KERNEL void raise_magnitudes(const float* __restrict row, const float* __restrict shift,
                                     double* __restrict magnitude, double* __restrict poison,
                                     std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    const double value = static_cast<double>(row[j]) - static_cast<double>(shift[j]);
    magnitude[j] = std::fabs(value) > magnitude[j] ? std::fabs(value) : magnitude[j];
    poison[j] += value - value;
  }
}

BALLAST_KERNEL std::size_t nonfinite_in(const float* __restrict row, const float* __restrict shift,
                                        std::size_t count) {
  std::int32_t found = 0;
  for (std::size_t j = 0; j < count; ++j) {
    const double value = std::fabs(static_cast<double>(row[j]) - static_cast<double>(shift[j]));
    found += value < std::numeric_limits<double>::infinity() ? 0 : 1;
  }
  return static_cast<std::size_t>(found);
}

BALLAST_KERNEL void widen_row(const float* __restrict row, const float* __restrict shift,
                              double* __restrict out, std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    out[j] = static_cast<double>(row[j]) - static_cast<double>(shift[j]);
  }
}

BALLAST_KERNEL void add_row(const double* __restrict row, double* __restrict sums,
                            std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) sums[j] += row[j];
}

BALLAST_KERNEL void add_squares(const double* __restrict row, double* __restrict sums,
                                std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) sums[j] += row[j] * row[j];
}

/// words += values rounded to multiples of 1 / (row_scale · scale); how many were beyond a word.
BALLAST_KERNEL std::int64_t add_scaled(const double* __restrict values, double row_scale,
                                       const std::int32_t* __restrict exponents,
                                       std::int64_t* __restrict words, std::size_t count) {
  std::int64_t beyond = 0;
  for (std::size_t j = 0; j < count; ++j) {
    const auto scale = std::bit_cast<double>(static_cast<std::int64_t>(1023 - exponents[j]) << 52);
    const double scaled = values[j] * row_scale * scale;
    const bool fits = std::fabs(scaled) <= kLargestWord;
    const double rounded = fits ? scaled + (scaled < 0.0 ? -0.5 : 0.5) : 0.0;
    beyond += fits ? 0 : 1;
    words[j] += static_cast<std::int64_t>(rounded);
  }
  return beyond;
}

/// 2^exponent, exact for normal numbers.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// The smallest e with magnitude < 2^e.
std::int32_t exponent_of(double magnitude) {
  const auto biased = static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(magnitude) >> 52);
  return biased - 1022;
}

}  // namespace

int bits_for(std::size_t max_samples) {
  return kWordBits - static_cast<int>(std::bit_width(max_samples - 1));
}

std::size_t count_nonfinite(kernels::MatrixView<const float> rows, std::span<const float> shift) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    found += nonfinite_in(rows.data + i * rows.stride, shift.data(), rows.cols);
  }
  return found;
}

void raise_exponents(kernels::MatrixView<const float> rows, std::span<const float> shift,
                     std::span<std::int32_t> exponents) {
  for (std::size_t first = 0; first < rows.cols; first += kColumns) {
    const std::size_t count = std::min(kColumns, rows.cols - first);
    double magnitudes[kColumns] = {};
    double poison[kColumns] = {};
    for (std::size_t i = 0; i < rows.rows; ++i) {
      raise_magnitudes(rows.data + i * rows.stride + first, shift.data() + first, magnitudes,
                       poison, count);
    }
    for (std::size_t j = 0; j < count; ++j) {
      if (poison[j] != 0.0) continue;
      exponents[first + j] = std::max(exponents[first + j], exponent_of(magnitudes[j]));
    }
  }
}

void widen(kernels::MatrixView<const float> rows, std::span<const float> shift,
           std::span<double> out) {
  for (std::size_t i = 0; i < rows.rows; ++i) {
    widen_row(rows.data + i * rows.stride, shift.data(), out.data() + i * rows.cols, rows.cols);
  }
}

void add_rows(std::span<const double> rows, std::size_t count, std::span<double> sums) {
  for (std::size_t i = 0; i < count; ++i) {
    add_row(rows.data() + i * sums.size(), sums.data(), sums.size());
  }
}

void add_squares_of_rows(std::span<const double> rows, std::size_t count, std::span<double> sums) {
  for (std::size_t i = 0; i < count; ++i) {
    add_squares(rows.data() + i * sums.size(), sums.data(), sums.size());
  }
}

void add(std::span<const double> values, std::int32_t row_exponent,
         std::span<const std::int32_t> exponents, int bits, std::span<std::int64_t> words) {
  if (add_scaled(values.data(), power_of_two(bits - row_exponent), exponents.data(), words.data(),
                 values.size()) != 0) {
    throw internal_error("a moment is beyond the exponents that the leaves agreed on");
  }
}

void read(std::span<const std::int64_t> words, std::int32_t row_exponent,
          std::span<const std::int32_t> exponents, int bits, std::span<double> out) {
  const double row_scale = power_of_two(row_exponent - bits);
  for (std::size_t j = 0; j < words.size(); ++j) {
    out[j] = static_cast<double>(words[j]) * row_scale * power_of_two(exponents[j]);
  }
}

}  // namespace ballast::monitor::fixed_point
