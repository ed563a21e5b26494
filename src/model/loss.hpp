#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/cross_entropy.hpp"
#include "kernels/operations/operations.hpp"
#include "model/loss_sums.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// What a loss gets about some neighboring tokens of a batch, and where it writes its results.
struct LossChunk {
  std::size_t vocabulary = 0;
  std::span<float> logits;               ///< [tokens, vocabulary]; the loss may overwrite them
  std::span<const std::int32_t> labels;  ///< [tokens]: kernels::kIgnoreLabel where nothing is asked
  std::span<const float> weights;        ///< [tokens], of any sign; empty: all ones
  float gradient_scale = 1.0f;
  /// [tokens, vocabulary]: where the gradient of the loss for the logits goes, times
  /// gradient_scale. In fp32 it is the memory of the logits; in a narrow type it has memory of its
  /// own; empty: no gradient is asked for.
  Elements dlogits{};
  /// [tokens, vocabulary]: a teacher's logits of the same tokens, which the loss may overwrite;
  /// empty unless it wants_teacher().
  std::span<float> teacher{};
  std::span<float> nll;      ///< [tokens]: each label's negative log-likelihood in nats, unweighted
  std::span<float> scratch;  ///< [tokens · floats_a_token()]

  [[nodiscard]] double weight_of(std::size_t token) const {
    return weights.empty() ? 1.0 : static_cast<double>(weights[token]);
  }
  /// visit(token, weight) of each label that counts.
  template <class Visit>
  void for_each_label(Visit&& visit) const {
    for (std::size_t t = 0; t < labels.size(); ++t) {
      if (labels[t] != kernels::kIgnoreLabel) visit(t, weight_of(t));
    }
  }
  /// For a loss that left its gradient in fp32 where the logits were: rounds it to where it goes.
  void round_gradient(const kernels::Operations& operations) const {
    if (dlogits.type() != ElementType::fp32) operations.convert(ConstElements{logits}, dlogits);
  }
};

/// The function that a training minimizes: of the logits of each token, and of the other data of a
/// chunk. Immutable, so that models may share one. LossHead computes the logits, chunk by chunk,
/// and uses their gradient.
///
/// A loss whose tokens are coupled (pairs, groups) reaches the same interface in two passes: the
/// negative log-likelihoods of one give the weights, of any sign, of a second. Whatever follows
/// from likelihoods of given tokens alone has the gradient weight · (softmax − onehot).
class Loss {
 public:
  virtual ~Loss() = default;

  /// Names of its numerators as logs show their means, the loss itself first: the same for ever.
  [[nodiscard]] virtual std::span<const std::string_view> figures() const = 0;
  [[nodiscard]] LossSums no_sums() const { return LossSums{figures()}; }

  /// Floats of scratch that it needs a token of a chunk.
  [[nodiscard]] virtual std::size_t floats_a_token() const = 0;
  /// Whether a chunk is to hold a second model's logits.
  [[nodiscard]] virtual bool wants_teacher() const { return false; }

  /// Writes nll, and the gradient if it is asked for, and adds to `sums`: the same with a gradient
  /// or without. Chunks come in the order of tokens.
  virtual void compute(const LossChunk& chunk, const kernels::Operations& operations,
                       LossSums& sums) const = 0;
};

}  // namespace ballast::model
