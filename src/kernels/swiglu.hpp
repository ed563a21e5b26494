#pragma once

#include <span>

namespace ballast::kernels {

/// out = gate · sigmoid(gate) · up, element by element (SwiGLU; Shazeer 2020). Equal sizes;
/// out may alias gate or up.
void swiglu_forward(std::span<const float> gate, std::span<const float> up, std::span<float> out);

/// Gradients of swiglu_forward; dgate and dup overwrite and may alias gate and up.
void swiglu_backward(std::span<const float> gate, std::span<const float> up,
                     std::span<const float> dout, std::span<float> dgate, std::span<float> dup);

}  // namespace ballast::kernels
