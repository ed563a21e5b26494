#pragma once

#include <array>

#include "kernels/activation.hpp"

namespace ballast::kernels {

inline constexpr std::array kEveryActivation{
    Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::relu2};

}  // namespace ballast::kernels
