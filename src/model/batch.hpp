#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/exact_sum.hpp"

namespace ballast::model {

/// How many sequences of how many tokens pass through the model together.
struct BatchShape {
  std::size_t sequences = 0;
  std::size_t seq_len = 0;

  [[nodiscard]] std::size_t tokens() const { return sequences * seq_len; }
};

/// A micro-batch of tokens, sequence after sequence; all spans are [tokens].
struct Batch {
  BatchShape shape;
  std::span<const std::int32_t> ids;
  std::span<const std::int32_t> labels;     ///< kernels::kIgnoreLabel where nothing is asked
  std::span<const std::int32_t> segments;   ///< document numbers, for document_attention
  std::span<const std::int32_t> positions;  ///< within the sequence
  std::span<const float> weights;           ///< loss weights, or empty for all ones
};

/// Sums over labels that can be merged over micro-batches and ranks in any order.
struct LossSums {
  ExactSum weighted_nll;  ///< Σ weight · nll, in nats
  ExactSum
      weighted_log_z;  ///< Σ weight · ln of the softmax's denominator; of forward_backward only
  ExactSum weight;     ///< Σ weight over labels that count
  std::int64_t labels = 0;  ///< how many labels count

  void merge(const LossSums& other) {
    weighted_nll.merge(other.weighted_nll);
    weighted_log_z.merge(other.weighted_log_z);
    weight.merge(other.weight);
    labels += other.labels;
  }
  /// The mean loss; 0 when no label counts.
  [[nodiscard]] double mean() const {
    return labels == 0 ? 0.0 : weighted_nll.value() / weight.value();
  }
  [[nodiscard]] double mean_log_z() const {
    return labels == 0 ? 0.0 : weighted_log_z.value() / weight.value();
  }
};

}  // namespace ballast::model
