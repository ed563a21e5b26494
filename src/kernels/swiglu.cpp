#include "kernels/swiglu.hpp"

#include <cstddef>

#include "kernels/exp.hpp"
#include "kernels/isa.hpp"

namespace ballast::kernels {

namespace {

BALLAST_KERNEL void forward_all(const float* gate, const float* up, float* out, std::size_t count) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < count; ++i) out[i] = gate[i] * sigmoid_lane(gate[i]) * up[i];
}

BALLAST_KERNEL void backward_all(const float* gate, const float* up, const float* dout,
                                 float* dgate, float* dup, std::size_t count) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gate[i];
    const float u = up[i];
    const float d = dout[i];
    const float s = sigmoid_lane(g);
    const float silu = g * s;
    // (g s)' = s + g s (1 − s)
    dgate[i] = d * u * __builtin_fmaf(silu, 1.0f - s, s);
    dup[i] = d * silu;
  }
}

}  // namespace

void swiglu_forward(std::span<const float> gate, std::span<const float> up, std::span<float> out) {
  forward_all(gate.data(), up.data(), out.data(), out.size());
}

void swiglu_backward(std::span<const float> gate, std::span<const float> up,
                     std::span<const float> dout, std::span<float> dgate, std::span<float> dup) {
  backward_all(gate.data(), up.data(), dout.data(), dgate.data(), dup.data(), dout.size());
}

}  // namespace ballast::kernels
