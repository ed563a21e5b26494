#pragma once

#include <cstddef>

#include "kernels/attention/attention_tile.hpp"

namespace ballast::kernels {

/// Products of queries and keys, of which those that are seen become logits: softcap · tanh(scale x
/// / softcap) with a soft cap, else scale x + slope · distance. The distance is key − query.
struct LogitTile {
  float* logits;
  std::size_t stride;
  std::size_t rows;
  const SeenCols* seen;
  float scale;
  float softcap;  ///< 0: none
  float slope;
  float distance;  ///< of the first row and column, a whole number
  float row_step;  ///< 1 if rows are keys and columns queries, −1 if it is the other way
};
void finish_logits(const LogitTile& tile);

/// key − query, as a tile has it.
[[nodiscard]] inline float distance(std::size_t key, std::size_t query) {
  return static_cast<float>(key) - static_cast<float>(query);
}

/// The factor that a tile's values still lack when the softmax reads them: products that are the
/// logits up to their scale are not passed over by themselves.
[[nodiscard]] inline float tile_scale(const AttentionRule& rule, const AttentionDims& dims) {
  return rule.bends_logits() ? 1.0f : attention_scale(rule, dims);
}

}  // namespace ballast::kernels
