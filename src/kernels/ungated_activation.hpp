#pragma once

#include "base/team.hpp"
#include "kernels/activation.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// out = activation(x), element by element. Equal sizes and types; out may be x.
void activation_forward(Activation activation, const ConstElements& x, const Elements& out,
                        Team* team = nullptr);

/// dx = dout · activation'(x), and `activated`, the forward's result, once more. `dout` is in fp32
/// or of the type that all the others have. dx may be x; activated may be dout if they have one
/// type.
void activation_backward(Activation activation, const ConstElements& x, const ConstElements& dout,
                         const Elements& dx, const Elements& activated, Team* team = nullptr);

}  // namespace ballast::kernels
