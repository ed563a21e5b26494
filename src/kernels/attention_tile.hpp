#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/attention.hpp"
#include "kernels/isa.hpp"
#include "kernels/lanes.hpp"

namespace ballast::kernels {

/// Queries that are worked on together. Their logits against a whole sequence of a few hundred
/// tokens stay in the second-level cache.
inline constexpr std::size_t kQueryTile = 64;

/// Consecutive queries of one sequence and every key that one of them sees. What a token sees is
/// one run of keys, from the start of its segment to itself.
struct AttentionTile {
  std::size_t query;                               ///< first token
  std::size_t rows;                                ///< queries
  std::size_t key;                                 ///< first key that the first query sees
  std::size_t keys;                                ///< up to the last query
  std::size_t stride;                              ///< of a tile of logits in scratch, [rows, keys]
  std::array<std::size_t, kQueryTile> first_seen;  ///< per row, counted from `key`

  /// One past the last key that `row` sees, counted from `key`.
  [[nodiscard]] std::size_t seen_end(std::size_t row) const { return query - key + row + 1; }
};

/// The tile that starts `offset` tokens into `sequence`.
[[nodiscard]] AttentionTile attention_tile(const AttentionDims& dims,
                                           std::span<const std::int32_t> segments,
                                           std::size_t sequence, std::size_t offset);

/// `count` tokens of one head of x: [tokens, heads, head_dim], as a matrix [count, head_dim].
template <class T>
[[nodiscard]] MatrixView<T> head_view(std::span<T> x, std::size_t token, std::size_t count,
                                      std::size_t head, std::size_t heads, std::size_t head_dim) {
  return {x.data() + (token * heads + head) * head_dim, count, head_dim, heads * head_dim};
}

/// The columns of one row of logits that its softmax works on, in whole lanes.
struct LogitRange {
  std::size_t begin;
  std::size_t end;
};

/// Gives the columns of [0, keys) that a row does not see the value that makes their exponential 0:
/// −inf within the range returned, which holds all it sees, and 0, their probability, outside.
BALLAST_INLINE LogitRange mask_row(const AttentionTile& tile, std::size_t row, float* logits) {
  const std::size_t first = tile.first_seen[row];
  const std::size_t end = tile.seen_end(row);
  const LogitRange range{first / kLanes * kLanes, round_to_lanes(end)};
  for (std::size_t j = 0; j < range.begin; ++j) logits[j] = 0.0f;
  for (std::size_t j = range.begin; j < first; ++j) logits[j] = -__builtin_inff();
  for (std::size_t j = end; j < range.end; ++j) logits[j] = -__builtin_inff();
  for (std::size_t j = range.end; j < tile.keys; ++j) logits[j] = 0.0f;
  return range;
}

/// 1 / sqrt(head_dim)
[[nodiscard]] float attention_scale(const AttentionDims& dims);

}  // namespace ballast::kernels
