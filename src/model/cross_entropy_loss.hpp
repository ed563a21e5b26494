#pragma once

#include <array>

#include "model/loss.hpp"

namespace ballast::model {

/// Softmax cross-entropy with the labels: what language models are trained with. Numerators:
/// weight · nll, and weight · ln of the softmax's denominator; denominator: weight.
class CrossEntropyLoss final : public Loss {
 public:
  [[nodiscard]] std::span<const std::string_view> figures() const override { return kFigures; }
  [[nodiscard]] std::size_t floats_a_token() const override { return 1; }
  void compute(const LossChunk& chunk, const kernels::Operations& operations,
               LossSums& sums) const override;

 private:
  static constexpr std::array<std::string_view, 2> kFigures{"loss", "log_z"};
};

}  // namespace ballast::model
