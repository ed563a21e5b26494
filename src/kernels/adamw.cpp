#include "kernels/adamw.hpp"

#include <cmath>
#include <cstddef>

#include "kernels/half.hpp"
#include "kernels/isa.hpp"

namespace ballast::kernels {

namespace {

/// The weight after the step; the moments of its element are replaced.
BALLAST_INLINE float stepped(const AdamWStep& s, float weight, float gradient, float& moment1,
                             float& moment2) {
  const float g = gradient * s.gradient_factor;
  const float m = __builtin_fmaf(s.beta1, moment1, (1.0f - s.beta1) * g);
  const float v = __builtin_fmaf(s.beta2, moment2, (1.0f - s.beta2) * (g * g));
  const float deviation = __builtin_fmaf(std::sqrt(v), s.inv_sqrt_bias2, s.epsilon);
  moment1 = m;
  moment2 = v;
  // Decay acts on the weight, not on its gradient (Loshchilov and Hutter 2019, Algorithm 2).
  return __builtin_fmaf(weight, s.decay_factor, -(s.step_size * (m / deviation)));
}

BALLAST_KERNEL void update_fp32(const AdamWStep& step, const float* __restrict gradient,
                                float* __restrict weight, float* __restrict moment1,
                                float* __restrict moment2, std::size_t count) {
  const AdamWStep s = step;
  for (std::size_t i = 0; i < count; ++i) {
    weight[i] = stepped(s, weight[i], gradient[i], moment1[i], moment2[i]);
  }
}

BALLAST_KERNEL void update_split(const AdamWStep& step, const float* __restrict gradient,
                                 std::uint16_t* __restrict high, std::int16_t* __restrict low,
                                 float* __restrict moment1, float* __restrict moment2,
                                 std::size_t count) {
  const AdamWStep s = step;
  for (std::size_t i = 0; i < count; ++i) {
    const float master = stepped(s, joined(high[i], low[i]), gradient[i], moment1[i], moment2[i]);
    const std::uint16_t rounded = master_high(master);
    high[i] = rounded;
    low[i] = master_low(master, rounded);
  }
}

BALLAST_KERNEL void update_fp16(const AdamWStep& step, const float* __restrict gradient,
                                float* __restrict master, std::uint16_t* __restrict fp16,
                                float* __restrict moment1, float* __restrict moment2,
                                std::size_t count) {
  const AdamWStep s = step;
  for (std::size_t i = 0; i < count; ++i) {
    master[i] = stepped(s, master[i], gradient[i], moment1[i], moment2[i]);
    fp16[i] = to_fp16(master[i]);
  }
}

}  // namespace

void adamw(const AdamWStep& step, std::span<float> weight, const AdamWState& state) {
  update_fp32(step, state.gradient.data(), weight.data(), state.moment1.data(),
              state.moment2.data(), weight.size());
}

void adamw(const AdamWStep& step, std::span<std::uint16_t> high, std::span<std::int16_t> low,
           const AdamWState& state) {
  update_split(step, state.gradient.data(), high.data(), low.data(), state.moment1.data(),
               state.moment2.data(), high.size());
}

void adamw(const AdamWStep& step, std::span<float> master, std::span<std::uint16_t> fp16,
           const AdamWState& state) {
  update_fp16(step, state.gradient.data(), master.data(), fp16.data(), state.moment1.data(),
              state.moment2.data(), master.size());
}

}  // namespace ballast::kernels
