#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace ballast::formats {

/// a + b and a · b, or nothing where 64 bits do not hold them. Files name sizes of their own, and a
/// sum that wraps would make a wrong one look right.
[[nodiscard]] inline std::optional<std::uint64_t> checked_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

[[nodiscard]] inline std::optional<std::uint64_t> checked_product(std::uint64_t a,
                                                                  std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// Elements of a tensor of this shape: 1 where it has no dimensions. Nothing where any product on
/// the way, from the first dimension on, does not fit.
[[nodiscard]] inline std::optional<std::uint64_t> numel_of(std::span<const std::uint64_t> shape) {
  std::optional<std::uint64_t> numel = 1;
  for (const std::uint64_t dimension : shape) {
    numel = checked_product(*numel, dimension);
    if (!numel) return std::nullopt;
  }
  return numel;
}

}  // namespace ballast::formats
