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

/// Updates weights and both moments in one pass over spans of equal size.
void adamw(const AdamWStep& step, std::span<const float> gradient, std::span<float> weight,
           std::span<float> moment1, std::span<float> moment2);

}  // namespace ballast::kernels
