#pragma once

#include <string_view>

#include "base/team.hpp"
#include "tensor/element.hpp"

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

/// out = activation(x), element by element. Equal sizes and types; out may be x.
void activation_forward(Activation activation, const ConstElements& x, const Elements& out,
                        Team* team = nullptr);

/// dx = dout · activation'(x), and `activated`, the forward's result, once more. `dout` is in fp32
/// or of the type that all the others have. dx may be x; activated may be dout if they have one
/// type.
void activation_backward(Activation activation, const ConstElements& x, const ConstElements& dout,
                         const Elements& dx, const Elements& activated, Team* team = nullptr);

/// out = activation(gate) · up, element by element: SwiGLU with silu, GEGLU with gelu (Shazeer
/// 2020). Equal sizes and types; out may be gate or up.
void gated_activation_forward(Activation activation, const ConstElements& gate,
                              const ConstElements& up, const Elements& out, Team* team = nullptr);

/// Gradients of gated_activation_forward, and its result `activated` once more. `dout` is in fp32
/// or of the type that all the others have. dgate and dup are overwritten and may be gate and up;
/// activated may be dout if they have one type.
void gated_activation_backward(Activation activation, const ConstElements& gate,
                               const ConstElements& up, const ConstElements& dout,
                               const Elements& dgate, const Elements& dup,
                               const Elements& activated, Team* team = nullptr);

}  // namespace ballast::kernels
