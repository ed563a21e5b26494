#pragma once

#include "base/team.hpp"
#include "kernels/activation.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

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
