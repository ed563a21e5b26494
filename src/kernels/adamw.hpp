#pragma once

#include <cstdint>
#include <span>

namespace ballast::kernels {

/// One AdamW step (Loshchilov and Hutter 2019, Algorithm 2; epsilon outside the root, as PyTorch
/// has it), with everything that depends on the step worked out beforehand.
struct AdamWStep {
  float gradient_factor;  ///< loss normalisation, clipping and unscaling in one
  float beta1;
  float beta2;
  float step_size;       ///< lr / (1 − beta1^t)
  float inv_sqrt_bias2;  ///< 1 / sqrt(1 − beta2^t)
  float epsilon;
  float decay_factor;  ///< 1 − lr · weight_decay, or 1 where there is no decay
};

/// What a step reads and changes besides the weights.
struct AdamWState {
  std::span<const float> gradient;
  std::span<float> moment1;
  std::span<float> moment2;
};

/// Updates fp32 weights and both moments in one pass over spans of equal size, as all of these do.
/// The same masters and gradients give the same master bits however they are stored.
void adamw(const AdamWStep& step, std::span<float> weight, const AdamWState& state);

/// The same for masters in two halves (see split_master), of which `high` is the bf16 weight.
void adamw(const AdamWStep& step, std::span<std::uint16_t> high, std::span<std::int16_t> low,
           const AdamWState& state);

/// The same for fp32 masters beside the fp16 weights made of them.
void adamw(const AdamWStep& step, std::span<float> master, std::span<std::uint16_t> fp16,
           const AdamWState& state);

}  // namespace ballast::kernels
