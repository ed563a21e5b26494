#pragma once

#include <bit>
#include <cstdint>

#include "kernels/lanes/isa.hpp"

namespace ballast::kernels {

/// e^x within 2 units in the last place, in a form that vectorizes: x = n ln 2 + r with ln 2 in two
/// parts (Cody and Waite 1980), then a minimax polynomial in r. Exactly 0 where the result would
/// not be a normal number, +inf above the largest float, NaN for NaN.
BALLAST_INLINE float exp_lane(float x) {
  constexpr float kLog2E = 0x1.715476p+0f;
  constexpr float kLn2High = 0x1.62e430p-1f;
  constexpr float kLn2Low = -0x1.05c610p-29f;
  constexpr float kSmallest = -87.3365f;
  constexpr float kLargest = 88.72283f;
  // Adding 1.5 · 2^23 rounds to an integer and leaves it in the low bits of the sum.
  constexpr float kRound = 0x1.8p+23f;

  const float shifted = __builtin_fmaf(x, kLog2E, kRound);
  const float n = shifted - kRound;
  const float r = __builtin_fmaf(-n, kLn2Low, __builtin_fmaf(-n, kLn2High, x));
  float q = 0x1.6d110ap-10f;
  q = __builtin_fmaf(q, r, 0x1.120b6ep-7f);
  q = __builtin_fmaf(q, r, 0x1.55551ap-5f);
  q = __builtin_fmaf(q, r, 0x1.5554dcp-3f);
  q = __builtin_fmaf(q, r, 0.5f);
  const float p = __builtin_fmaf(q, r * r, r) + 1.0f;
  // p is near 1 and the result is normal, so its exponent can be added as an integer.
  const std::uint32_t bits =
      std::bit_cast<std::uint32_t>(p) + (std::bit_cast<std::uint32_t>(shifted) << 23);
  float result = std::bit_cast<float>(bits);
  result = x < kSmallest ? 0.0f : result;
  result = x > kLargest ? __builtin_inff() : result;
  return x == x ? result : x;
}

/// 1 / (1 + e^−x)
BALLAST_INLINE float sigmoid_lane(float x) { return 1.0f / (1.0f + exp_lane(-x)); }

}  // namespace ballast::kernels
