#pragma once

#include "kernels/activation.hpp"
#include "kernels/lanes/exp.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/normal.hpp"

// The functions that activations are, with their derivatives: loops over elements are templates on
// one of these. For finite x no result is NaN, and NaN stays NaN.
namespace ballast::kernels {

struct CurvePoint {
  float value;
  float slope;
};

struct SiluCurve {
  BALLAST_INLINE CurvePoint at(float x) {
    const float s = sigmoid_lane(x);
    const float value = x * s;
    // (x s)' = s + x s (1 − s)
    return {value, __builtin_fmaf(value, 1.0f - s, s)};
  }
};

/// The nearest value within ±32, where both forms of GELU have reached their limits: beyond it an
/// infinity times an exact zero would be NaN.
BALLAST_INLINE float within_gelu(float x) {
  const float above = x < -32.0f ? -32.0f : x;
  return above > 32.0f ? 32.0f : above;
}

/// The value within 5 units in the last place, or 0 where it is below 1e-36.
struct GeluCurve {
  BALLAST_INLINE CurvePoint at(float x) {
    const Normal normal = normal_lane(x);
    const float near = within_gelu(x);
    const float factor = x < 0.0f ? near : x;
    return {factor * normal.cdf, __builtin_fmaf(near, normal.density, normal.cdf)};
  }
};

/// The value within 5 units in the last place, or 0 where it is below 1e-36: (1 + tanh u) / 2 is
/// the sigmoid of 2 u, which loses no digits where x is negative.
struct GeluTanhCurve {
  BALLAST_INLINE CurvePoint at(float x) {
    constexpr double kLinear = 0x1.9884533d43651p+0;  // 2 √(2/π)
    constexpr double kCubic = kLinear * 0.044715;
    const float near = within_gelu(x);
    const double wide = static_cast<double>(near);
    const double square = wide * wide;
    const double exponent = wide * (kLinear + kCubic * square);
    const float power = exp_of_wide(-__builtin_fabs(exponent));
    // The larger one of s = sigmoid(exponent) and 1 − s; the other is `power` times as large.
    const float larger = 1.0f / (1.0f + power);
    const float s = x < 0.0f ? power * larger : larger;
    const auto slope_of_exponent = static_cast<float>(kLinear + 3.0 * kCubic * square);
    const float factor = x < 0.0f ? near : x;
    return {factor * s, __builtin_fmaf(near * (power * larger * larger), slope_of_exponent, s)};
  }
};

/// The derivative at 0 is 0.
struct ReluCurve {
  BALLAST_INLINE CurvePoint at(float x) {
    const float slope = x > 0.0f ? 1.0f : 0.0f;
    return {x < 0.0f ? 0.0f : x, x == x ? slope : x};
  }
};

struct SquaredReluCurve {
  BALLAST_INLINE CurvePoint at(float x) {
    const float positive = x < 0.0f ? 0.0f : x;
    return {positive * positive, 2.0f * positive};
  }
};

/// visit(SiluCurve{}), or the one for `activation`. `visit` must always be inlined, as that of
/// with_stored.
template <class Visit>
BALLAST_INLINE void with_curve(Activation activation, Visit&& visit) {
  switch (activation) {
    case Activation::silu:
      return visit(SiluCurve{});
    case Activation::gelu:
      return visit(GeluCurve{});
    case Activation::gelu_tanh:
      return visit(GeluTanhCurve{});
    case Activation::relu:
      return visit(ReluCurve{});
    case Activation::relu2:
      return visit(SquaredReluCurve{});
  }
}

}  // namespace ballast::kernels
