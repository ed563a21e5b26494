#pragma once

#include "kernels/lanes/exp.hpp"
#include "kernels/lanes/isa.hpp"

namespace ballast::kernels {

/// The standard normal distribution at a point: Φ(x) = (1 + erf(x / √2)) / 2, and its derivative.
struct Normal {
  float cdf;
  float density;
};

/// e^x for x <= 0 that fp32 would round too coarsely: its last unit would be many of the result's.
/// 0 where the result would not be a normal number, NaN for NaN.
BALLAST_INLINE float exp_of_wide(double x) {
  const auto high = static_cast<float>(x);
  const auto low = static_cast<float>(x - static_cast<double>(high));
  const float result = exp_lane(high);
  return __builtin_fmaf(result, low, result);
}

/// Both within 4 units in the last place, in a form that vectorizes; exactly 0 or 1 where the
/// result leaves the range of normal numbers, NaN for NaN. For t = |x| < 1, Φ(x) is 1/2 + x p(x²)
/// with a minimax polynomial p. Elsewhere 1 − Φ(t) is e^(−t²/2) f(t) / (1 + √2 t), which loses no
/// digits in the tail, with f a minimax polynomial in (t − 4) / (t + 4) (the form is that of
/// Shepherd and Laframboise 1981).
BALLAST_INLINE Normal normal_lane(float x) {
  constexpr float kMost = 32.0f;  // far behind the last result that is not exactly 0 or 1
  constexpr float kSqrt2 = 0x1.6a09e6p+0f;
  constexpr float kInverseSqrt2Pi = 0x1.988454p-2f;
  const float magnitude = __builtin_fabsf(x);
  const float t = magnitude > kMost ? kMost : magnitude;
  const double wide = static_cast<double>(t);
  const float power = exp_of_wide(-0.5 * wide * wide);

  const float square = t * t;
  float p = 0x1.83d7a6p-14f;
  p = __builtin_fmaf(p, square, -0x1.317d7p-10f);
  p = __builtin_fmaf(p, square, 0x1.46818p-7f);
  p = __builtin_fmaf(p, square, -0x1.10567cp-4f);
  p = __builtin_fmaf(p, square, 0x1.98844ep-2f);
  const float near = __builtin_fmaf(x, p, 0.5f);

  const float q = (t - 4.0f) / (t + 4.0f);
  float f = 0x1.f9daeep-11f;
  f = __builtin_fmaf(f, q, -0x1.85372ap-11f);
  f = __builtin_fmaf(f, q, -0x1.dbc0bep-8f);
  f = __builtin_fmaf(f, q, 0x1.d98008p-6f);
  f = __builtin_fmaf(f, q, -0x1.ddc666p-5f);
  f = __builtin_fmaf(f, q, 0x1.1f5332p-4f);
  f = __builtin_fmaf(f, q, -0x1.03dbb4p-5f);
  f = __builtin_fmaf(f, q, -0x1.0f10f6p-4f);
  f = __builtin_fmaf(f, q, 0x1.41c7dap-1f);
  const float tail = power * (f / __builtin_fmaf(kSqrt2, t, 1.0f));
  const float far = x < 0.0f ? tail : 1.0f - tail;
  return {t < 1.0f ? near : far, power * kInverseSqrt2Pi};
}

}  // namespace ballast::kernels
