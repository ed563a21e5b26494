#pragma once

#include "kernels/lanes/exp.hpp"
#include "kernels/lanes/isa.hpp"

namespace ballast::kernels {

/// tanh x within 2 units in the last place, in a form that vectorizes: x + x³ p(x²) with a minimax
/// polynomial p near 0, 1 − 2 / (e^2|x| + 1) elsewhere. Exactly ±1 for large |x|, NaN for NaN.
BALLAST_INLINE float tanh_lane(float x) {
  constexpr float kNear = 0.6f;
  const float magnitude = __builtin_fabsf(x);
  const float square = x * x;
  float p = -0x1.825868p-8f;
  p = __builtin_fmaf(p, square, 0x1.54b8a4p-6f);
  p = __builtin_fmaf(p, square, -0x1.b898dep-5f);
  p = __builtin_fmaf(p, square, 0x1.1109aep-3f);
  p = __builtin_fmaf(p, square, -0x1.55553ep-2f);
  const float near = __builtin_fmaf(p * square, x, x);
  const float far = 1.0f - 2.0f / (exp_lane(2.0f * magnitude) + 1.0f);
  return magnitude < kNear ? near : __builtin_copysignf(far, x);
}

/// The derivative of tanh where it is t: 1 − t²; 0 where t lies beyond ±1 or is infinite.
BALLAST_INLINE float slope_of_tanh(float t) {
  const float square = t * t;
  return square < 1.0f ? 1.0f - square : 0.0f;
}

}  // namespace ballast::kernels
