#pragma once

#include <cstdint>
#include <span>

#include "base/granule.hpp"

namespace ballast::kernels {

/// One AdamW step (Loshchilov and Hutter 2019, Algorithm 2; epsilon outside the root, as in
/// PyTorch), with everything that depends on the step computed beforehand.
struct AdamWStep {
  float gradient_factor;  ///< loss normalization, clipping and unscaling in one
  float beta1;
  float beta2;
  float step_size;       ///< lr / (1 − beta1^t)
  float inv_sqrt_bias2;  ///< 1 / sqrt(1 − beta2^t)
  float epsilon;
  float decay_factor;  ///< 1 − lr · weight_decay, or 1 where there is no decay
};

/// Sums over a granule's elements that a step can compute as it passes, each over the fixed tree of
/// lanes. The mean of `staleness` over a tensor is the square of Adam's RMS_t, which is far above 1
/// where moment2 lags behind the gradient (Wortsman et al. 2023, arXiv:2304.13013).
struct AdamWPartials {
  float staleness = 0.0f;  ///< Σ g² / max(v, ε²), v the new moment2 without its bias
  float weight = 0.0f;     ///< Σ w², of the new masters
  float update = 0.0f;     ///< Σ (w − w before)², of the masters, decay included
};

/// The data that a step reads and changes besides the weights.
struct AdamWState {
  std::span<const float> gradient;
  std::span<float> moment1;
  std::span<float> moment2;
  /// Output: one for each granule from the first element on; the last granule may be short. If
  /// empty, nothing is computed.
  std::span<AdamWPartials> partials{};
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
