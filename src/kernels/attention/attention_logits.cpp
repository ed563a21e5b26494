#include "kernels/attention/attention_logits.hpp"

#include <cstdint>

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/tanh.hpp"

namespace ballast::kernels {

namespace {

BALLAST_KERNEL void cap(const LogitTile& tile) {
  const float softcap = tile.softcap;
  const float inner = tile.scale / softcap;
  for (std::size_t r = 0; r < tile.rows; ++r) {
    float* const logits = tile.logits + r * tile.stride;
    const SeenCols cols = tile.seen[r];
    for (std::size_t j = cols.begin; j < cols.end; ++j) {
      logits[j] = softcap * tanh_lane(logits[j] * inner);
    }
  }
}

BALLAST_KERNEL void tilt(const LogitTile& tile) {
  const float scale = tile.scale;
  const float slope = tile.slope;
  const float col_step = -tile.row_step;
  for (std::size_t r = 0; r < tile.rows; ++r) {
    float* const logits = tile.logits + r * tile.stride;
    const auto begin = static_cast<std::int32_t>(tile.seen[r].begin);
    const auto end = static_cast<std::int32_t>(tile.seen[r].end);
    const float distance = tile.distance + tile.row_step * static_cast<float>(r);
    for (std::int32_t j = begin; j < end; ++j) {
      const float here = distance + col_step * static_cast<float>(j);
      logits[j] = __builtin_fmaf(logits[j], scale, slope * here);
    }
  }
}

}  // namespace

void finish_logits(const LogitTile& tile) { tile.softcap > 0.0f ? cap(tile) : tilt(tile); }

}  // namespace ballast::kernels
