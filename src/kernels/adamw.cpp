#include "kernels/adamw.hpp"

#include <cmath>
#include <cstddef>

#include "kernels/isa.hpp"

namespace ballast::kernels {

namespace {

BALLAST_KERNEL void update_all(const AdamWStep& step, const float* __restrict gradient,
                               float* __restrict weight, float* __restrict moment1,
                               float* __restrict moment2, std::size_t count) {
  const AdamWStep s = step;
  const float rest1 = 1.0f - s.beta1;
  const float rest2 = 1.0f - s.beta2;
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] * s.gradient_factor;
    const float m = __builtin_fmaf(s.beta1, moment1[i], rest1 * g);
    const float v = __builtin_fmaf(s.beta2, moment2[i], rest2 * (g * g));
    const float deviation = __builtin_fmaf(std::sqrt(v), s.inv_sqrt_bias2, s.epsilon);
    // Decay acts on the weight, not on its gradient (Loshchilov and Hutter 2019, Algorithm 2).
    weight[i] = __builtin_fmaf(weight[i], s.decay_factor, -(s.step_size * (m / deviation)));
    moment1[i] = m;
    moment2[i] = v;
  }
}

}  // namespace

void adamw(const AdamWStep& step, std::span<const float> gradient, std::span<float> weight,
           std::span<float> moment1, std::span<float> moment2) {
  update_all(step, gradient.data(), weight.data(), moment1.data(), moment2.data(), weight.size());
}

}  // namespace ballast::kernels
