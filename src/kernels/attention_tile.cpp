#include "kernels/attention_tile.hpp"

#include <algorithm>
#include <cmath>

namespace ballast::kernels {

AttentionTile attention_tile(const AttentionDims& dims, std::span<const std::int32_t> segments,
                             std::size_t sequence, std::size_t offset) {
  AttentionTile tile{};
  const std::size_t start = sequence * dims.seq_len;
  tile.query = start + offset;
  tile.rows = std::min(kQueryTile, dims.seq_len - offset);
  tile.key = start;
  if (!segments.empty()) {
    const auto before = segments.subspan(start, offset);
    const auto first = std::ranges::lower_bound(before, segments[tile.query]);
    tile.key += static_cast<std::size_t>(first - before.begin());
    for (std::size_t r = 1; r < tile.rows; ++r) {
      const std::size_t token = tile.query + r;
      tile.first_seen[r] =
          segments[token] == segments[token - 1] ? tile.first_seen[r - 1] : token - tile.key;
    }
  }
  tile.keys = tile.query + tile.rows - tile.key;
  tile.stride = round_to_lanes(tile.keys);
  return tile;
}

float attention_scale(const AttentionDims& dims) {
  return 1.0f / std::sqrt(static_cast<float>(dims.head_dim));
}

std::size_t attention_scratch_numel(const AttentionDims& dims) {
  // The backward holds two tiles of logits, the forward one and a sum for each of its rows.
  return 2 * std::min(kQueryTile, dims.seq_len) * round_to_lanes(dims.seq_len);
}

}  // namespace ballast::kernels
