#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/activation.hpp"
#include "reference/real_part.hpp"

// Activations by their formulas. T as in kernels.hpp.
namespace ballast::reference {

template <class T>
[[nodiscard]] T sigmoid(const T& x) {
  return 1.0 / (1.0 + std::exp(-x));
}

/// erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms all have one sign (Abramowitz and
/// Stegun 1964, equation 7.1.6); beyond ±6.5 it is ±1 in double precision.
template <class T>
[[nodiscard]] T error_function(const T& x) {
  constexpr double kTwoOverSqrtPi = 1.12837916709551257390;
  if (std::abs(real_part(x)) > 6.5) return T{real_part(x) < 0.0 ? -1.0 : 1.0};
  T term = x;
  T sum = x;
  for (int n = 1; n < 250; ++n) {
    term *= 2.0 * x * x / (2.0 * n + 1.0);
    sum += term;
  }
  return kTwoOverSqrtPi * std::exp(-x * x) * sum;
}

template <class T>
[[nodiscard]] T activation(kernels::Activation kind, const T& x) {
  constexpr double kSqrtHalf = 0.70710678118654752440;
  constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
  const T positive = real_part(x) > 0.0 ? x : T{};
  switch (kind) {
    case kernels::Activation::silu:
      return x * sigmoid(x);
    case kernels::Activation::gelu:
      return 0.5 * x * (1.0 + error_function(T{kSqrtHalf * x}));
    case kernels::Activation::gelu_tanh:
      return 0.5 * x * (1.0 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
    case kernels::Activation::relu:
      return positive;
    case kernels::Activation::relu2:
      return positive * positive;
  }
  return T{};
}

/// d activation / dx.
template <class T>
[[nodiscard]] T activation_slope(kernels::Activation kind, const T& x) {
  constexpr double kSqrtHalf = 0.70710678118654752440;
  constexpr double kInverseSqrtTwoPi = 0.39894228040143267794;
  constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
  const T s = sigmoid(x);
  const T t = std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x));
  switch (kind) {
    case kernels::Activation::silu:
      return s + x * s * (1.0 - s);
    case kernels::Activation::gelu:
      return 0.5 * (1.0 + error_function(T{kSqrtHalf * x})) +
             x * kInverseSqrtTwoPi * std::exp(-0.5 * x * x);
    case kernels::Activation::gelu_tanh:
      return 0.5 * (1.0 + t) +
             0.5 * x * (1.0 - t * t) * kSqrtTwoOverPi * (1.0 + 3.0 * 0.044715 * x * x);
    case kernels::Activation::relu:
      return real_part(x) > 0.0 ? T{1.0} : T{};
    case kernels::Activation::relu2:
      return real_part(x) > 0.0 ? 2.0 * x : T{};
  }
  return T{};
}

/// out = activation(x), element by element.
template <class T>
[[nodiscard]] std::vector<T> activation_forward(kernels::Activation kind, const std::vector<T>& x) {
  std::vector<T> out;
  for (const T& value : x) out.push_back(activation(kind, value));
  return out;
}

/// The gradient of x.
template <class T>
[[nodiscard]] std::vector<T> activation_backward(kernels::Activation kind, const std::vector<T>& x,
                                                 const std::vector<T>& dout) {
  std::vector<T> dx;
  for (std::size_t i = 0; i < x.size(); ++i) {
    dx.push_back(dout[i] * activation_slope(kind, x[i]));
  }
  return dx;
}

/// out = activation(gate) · up, element by element.
template <class T>
[[nodiscard]] std::vector<T> gated_activation_forward(kernels::Activation kind,
                                                      const std::vector<T>& gate,
                                                      const std::vector<T>& up) {
  std::vector<T> out;
  for (std::size_t i = 0; i < gate.size(); ++i) out.push_back(activation(kind, gate[i]) * up[i]);
  return out;
}

template <class T>
struct GatedGradients {
  std::vector<T> dgate;
  std::vector<T> dup;
};

template <class T>
[[nodiscard]] GatedGradients<T> gated_activation_backward(kernels::Activation kind,
                                                          const std::vector<T>& gate,
                                                          const std::vector<T>& up,
                                                          const std::vector<T>& dout) {
  GatedGradients<T> gradients;
  for (std::size_t i = 0; i < gate.size(); ++i) {
    gradients.dgate.push_back(dout[i] * up[i] * activation_slope(kind, gate[i]));
    gradients.dup.push_back(dout[i] * activation(kind, gate[i]));
  }
  return gradients;
}

}  // namespace ballast::reference
