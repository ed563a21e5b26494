#include "model/cross_entropy_loss.hpp"

namespace ballast::model {

void CrossEntropyLoss::compute(const LossChunk& chunk, const kernels::Operations& operations,
                               LossSums& sums) const {
  const auto log_z = chunk.scratch;
  if (chunk.dlogits.empty()) {
    operations.cross_entropy_loss(chunk.vocabulary, chunk.labels, chunk.logits, {chunk.nll, log_z});
  } else {
    operations.cross_entropy(chunk.vocabulary, chunk.labels, chunk.weights, chunk.gradient_scale,
                             chunk.logits, {chunk.nll, log_z}, chunk.dlogits);
  }
  chunk.for_each_label([&](std::size_t t, double weight) {
    sums.add_label(weight);
    sums.add(0, weight * static_cast<double>(chunk.nll[t]));
    sums.add(1, weight * static_cast<double>(log_z[t]));
  });
}

}  // namespace ballast::model
