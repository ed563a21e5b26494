#include "monitor/moments_fixed_point.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "kernels/isa.hpp"

namespace ballast::monitor::fixed_point {

namespace {

constexpr int kWordBits = 62;
constexpr double kLargestWord = 0x1p62;

/// Columns whose magnitudes are gathered at a time: they stay in registers and first-level cache.
constexpr std::size_t kColumns = 256;

BALLAST_KERNEL void raise_magnitudes(const float* __restrict row, const float* __restrict shift,
                                     double* __restrict magnitude, std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    const double value = std::fabs(static_cast<double>(row[j]) - static_cast<double>(shift[j]));
    magnitude[j] = value > magnitude[j] ? value : magnitude[j];
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
    for (std::size_t i = 0; i < rows.rows; ++i) {
      raise_magnitudes(rows.data + i * rows.stride + first, shift.data() + first, magnitudes,
                       count);
    }
    for (std::size_t j = 0; j < count; ++j) {
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

void add(std::span<const double> values, std::int32_t row_exponent,
         std::span<const std::int32_t> exponents, int bits, std::span<std::int64_t> words) {
  const double row_scale = power_of_two(bits - row_exponent);
  for (std::size_t j = 0; j < values.size(); ++j) {
    const double scaled = values[j] * row_scale * power_of_two(-exponents[j]);
    if (!(std::fabs(scaled) <= kLargestWord)) {
      throw internal_error("a moment is beyond the exponents that the leaves agreed on");
    }
    words[j] += static_cast<std::int64_t>(scaled + (scaled < 0.0 ? -0.5 : 0.5));
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
