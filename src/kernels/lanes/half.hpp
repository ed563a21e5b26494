#pragma once

#include <bit>
#include <cstdint>

#include "kernels/lanes/isa.hpp"

// Single elements of 16 bits. All of it is arithmetic without branches on 32-bit lanes, so that
// loops over it become vector code on every instruction set, whether or not that has conversions.
namespace ballast::kernels {

inline constexpr std::uint32_t kInfinityBits = 0x7F800000u;
inline constexpr std::uint32_t kMagnitudeBits = 0x7FFFFFFFu;

/// To nearest, ties to even; a NaN stays one and becomes quiet.
BALLAST_INLINE std::uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = bits + 0x7FFFu + ((bits >> 16) & 1u);
  const std::uint32_t result = x == x ? rounded : bits | 0x400000u;
  return static_cast<std::uint16_t>(result >> 16);
}

BALLAST_INLINE float from_bf16(std::uint16_t x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16);
}

/// To nearest, ties to even; from 65,520 on infinity; a NaN stays one and becomes quiet.
BALLAST_INLINE std::uint16_t to_fp16(float x) {
  constexpr std::uint32_t kSmallestNormal = 0x38800000u;  // 2^-14
  constexpr std::uint32_t kRebias = (127u - 15u) << 23;
  constexpr std::uint32_t kInfinity16 = 0x7C00u;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & kMagnitudeBits;
  const std::uint32_t carried = (magnitude - kRebias + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13;
  const std::uint32_t normal = carried < kInfinity16 ? carried : kInfinity16;
  // Next to 0.5 an fp32 has fp16's subnormal spacing of 2^-24: the addition rounds as wanted.
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000u;
  const std::uint32_t nan = 0x7E00u | ((magnitude >> 13) & 0x3FFu);
  std::uint32_t result = magnitude < kSmallestNormal ? subnormal : normal;
  result = magnitude > kInfinityBits ? nan : result;
  return static_cast<std::uint16_t>(result | ((bits >> 16) & 0x8000u));
}

/// Exact; a NaN becomes quiet, as the processor's own conversion has it.
BALLAST_INLINE float from_fp16(std::uint16_t x) {
  constexpr std::uint32_t kRebias = (127u - 15u) << 23;
  const std::uint32_t shifted = (x & 0x7FFFu) << 13;
  const std::uint32_t exponent = x & 0x7C00u;
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(shifted + 0x38800000u) - 0x1p-14f);
  const std::uint32_t quiet = shifted > 0x0F800000u ? 0x400000u : 0u;
  std::uint32_t result = exponent == 0u ? subnormal : shifted + kRebias;
  result = exponent == 0x7C00u ? (shifted + 2u * kRebias) | quiet : result;
  return std::bit_cast<float>(result | ((x & 0x8000u) << 16));
}

/// The upper half of a split master: rounded to nearest, ties away from zero.
BALLAST_INLINE std::uint16_t master_high(float master) {
  return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(master) + 0x8000u) >> 16);
}

/// The lower half, given the upper: the difference of the bit patterns.
BALLAST_INLINE std::int16_t master_low(float master, std::uint16_t high) {
  return static_cast<std::int16_t>(std::bit_cast<std::uint32_t>(master) -
                                   (static_cast<std::uint32_t>(high) << 16));
}

BALLAST_INLINE float joined(std::uint16_t high, std::int16_t low) {
  return std::bit_cast<float>((static_cast<std::uint32_t>(high) << 16) +
                              static_cast<std::uint32_t>(low));
}

}  // namespace ballast::kernels
