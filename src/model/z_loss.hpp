#pragma once

#include <array>

#include "model/loss.hpp"

namespace ballast::model {

/// Softmax cross-entropy and c · (ln Z)², where Z is the softmax's denominator: logits cannot drift
/// away together, which cross-entropy alone does not see (Chowdhery et al. 2022, PaLM, section 5,
/// with c = 1e-4; Wortsman et al. 2023, "Small-scale proxies", section 3.1). Numerators: weight ·
/// nll, weight · ln Z, and weight · c · (ln Z)², which is learned beside the first; denominator:
/// weight.
class ZLoss final : public Loss {
 public:
  /// `coefficient` is c, above 0.
  explicit ZLoss(double coefficient) : coefficient_{coefficient} {}

  [[nodiscard]] std::span<const std::string_view> figures() const override { return kFigures; }
  [[nodiscard]] std::size_t floats_a_token() const override { return 2; }
  void compute(const LossChunk& chunk, const kernels::Operations& operations,
               LossSums& sums) const override;

 private:
  void differentiate(const LossChunk& chunk, std::span<const float> log_z,
                     const kernels::Operations& operations) const;

  static constexpr std::array<std::string_view, 3> kFigures{"loss", "log_z", "z_loss"};

  double coefficient_;
};

}  // namespace ballast::model
