#include "model/z_loss.hpp"

namespace ballast::model {

void ZLoss::compute(const LossChunk& chunk, const kernels::Operations& operations,
                    LossSums& sums) const {
  const auto log_z = chunk.scratch.first(chunk.labels.size());
  operations.cross_entropy_loss(chunk.vocabulary, chunk.labels, chunk.logits, {chunk.nll, log_z});
  if (!chunk.dlogits.empty()) differentiate(chunk, log_z, operations);
  chunk.for_each_label([&](std::size_t t, double weight) {
    const auto z = static_cast<double>(log_z[t]);
    sums.add_label(weight);
    sums.add(0, weight * static_cast<double>(chunk.nll[t]));
    sums.add(1, weight * z);
    sums.add(2, weight * coefficient_ * z * z);
  });
}

/// weight · ((1 + 2 c ln Z) softmax − onehot): cross-entropy's gradient with another weight, and
/// the difference of the two weights at the label. In fp32, so that it is rounded once.
void ZLoss::differentiate(const LossChunk& chunk, std::span<const float> log_z,
                          const kernels::Operations& operations) const {
  const auto weights = chunk.scratch.last(chunk.labels.size());
  const auto pull_of = [&](std::size_t t) {
    return chunk.weight_of(t) * 2.0 * coefficient_ * static_cast<double>(log_z[t]);
  };
  for (std::size_t t = 0; t < weights.size(); ++t) {
    weights[t] = static_cast<float>(chunk.weight_of(t) + pull_of(t));
  }
  operations.cross_entropy(chunk.vocabulary, chunk.labels, weights, chunk.gradient_scale,
                           chunk.logits, {chunk.nll}, Elements{chunk.logits});
  const auto scale = static_cast<double>(chunk.gradient_scale);
  chunk.for_each_label([&](std::size_t t, double) {
    const auto label = static_cast<std::size_t>(chunk.labels[t]);
    chunk.logits[t * chunk.vocabulary + label] += static_cast<float>(scale * pull_of(t));
  });
  chunk.round_gradient(operations);
}

}  // namespace ballast::model
