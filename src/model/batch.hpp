#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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
  std::span<const float> weights;           ///< of the labels, of any sign; or empty for all ones
};

}  // namespace ballast::model
