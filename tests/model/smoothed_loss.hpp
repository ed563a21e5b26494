#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "model/loss.hpp"

namespace ballast::test {

/// Label smoothing (Szegedy et al. 2016, section 7), written as someone would who knows Loss alone:
/// the target is 1 − ε at the label and ε / V everywhere. With no file but this one.
class SmoothedLoss final : public model::Loss {
 public:
  explicit SmoothedLoss(double epsilon) : epsilon_{epsilon} {}

  [[nodiscard]] std::span<const std::string_view> figures() const override { return kFigures; }
  [[nodiscard]] std::size_t floats_a_token() const override { return 1; }

  void compute(const model::LossChunk& chunk, const kernels::Operations& operations,
               model::LossSums& sums) const override {
    operations.cross_entropy_loss(chunk.vocabulary, chunk.labels, chunk.logits,
                                  {chunk.nll, chunk.scratch});
    chunk.for_each_label([&](std::size_t t, double weight) {
      const auto row = chunk.logits.subspan(t * chunk.vocabulary, chunk.vocabulary);
      double mean_logit = 0.0;
      for (const float logit : row) mean_logit += static_cast<double>(logit);
      mean_logit /= static_cast<double>(chunk.vocabulary);
      // What the labels are worth that are not right: the mean of ln Z − logit over all.
      const double uniform = static_cast<double>(chunk.scratch[t]) - mean_logit;
      sums.add_label(weight);
      sums.add(
          0, weight * ((1.0 - epsilon_) * static_cast<double>(chunk.nll[t]) + epsilon_ * uniform));
      sums.add(1, weight * uniform);
    });
    if (!chunk.dlogits.empty()) differentiate(chunk, operations);
  }

 private:
  void differentiate(const model::LossChunk& chunk, const kernels::Operations& operations) const {
    const auto vocabulary = static_cast<double>(chunk.vocabulary);
    for (std::size_t t = 0; t < chunk.labels.size(); ++t) {
      const auto row = chunk.logits.subspan(t * chunk.vocabulary, chunk.vocabulary);
      if (chunk.labels[t] == kernels::kIgnoreLabel) {
        std::ranges::fill(row, 0.0f);
        continue;
      }
      const double scale = static_cast<double>(chunk.gradient_scale) * chunk.weight_of(t);
      for (std::size_t v = 0; v < row.size(); ++v) {
        const double p =
            std::exp(static_cast<double>(row[v]) - static_cast<double>(chunk.scratch[t]));
        const double target =
            epsilon_ / vocabulary + (std::cmp_equal(v, chunk.labels[t]) ? 1.0 - epsilon_ : 0.0);
        row[v] = static_cast<float>(scale * (p - target));
      }
    }
    chunk.round_gradient(operations);
  }

  static constexpr std::array<std::string_view, 2> kFigures{"loss", "uniform"};

  double epsilon_;
};

}  // namespace ballast::test
