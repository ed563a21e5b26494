#pragma once

#include <span>

namespace ballast::kernels {

/// The denominator of a softmax, as sums are taken of it: `sum` is Σ exp(logit − max).
struct SoftmaxSum {
  float max;
  float sum;
};

/// Of one row, which stays as it is.
[[nodiscard]] SoftmaxSum softmax_sum(std::span<const float> logits);

/// −ln of the probability that a softmax gives a token with this logit, in nats.
[[nodiscard]] float negative_log_likelihood(const SoftmaxSum& softmax, float logit);
/// ln of the softmax's denominator.
[[nodiscard]] float log_z(const SoftmaxSum& softmax);

}  // namespace ballast::kernels
