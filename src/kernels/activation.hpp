#pragma once

#include <string_view>

namespace ballast::kernels {

/// What a feed-forward layer bends its hidden values with.
enum class Activation {
  silu,       ///< x sigmoid(x)
  gelu,       ///< x Φ(x), Φ the standard normal distribution (Hendrycks and Gimpel 2016)
  gelu_tanh,  ///< x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, their approximation of it
  relu,       ///< max(x, 0)
  relu2,      ///< max(x, 0)² (So et al. 2021)
};

[[nodiscard]] constexpr std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::silu:
      return "silu";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_tanh";
    case Activation::relu:
      return "relu";
    case Activation::relu2:
      return "relu2";
  }
  return "?";
}

}  // namespace ballast::kernels
