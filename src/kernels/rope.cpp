#include "kernels/rope.hpp"

#include "kernels/isa.hpp"
#include "kernels/math.hpp"

namespace ballast::kernels {

namespace {

/// One table row is `half` cosines, then `half` sines; `sign` is the direction.
BALLAST_KERNEL void rotate_heads(const float* row, std::size_t half, float sign, std::size_t heads,
                                 float* x) {
  const float* cosine = row;
  const float* sine = row + half;
  for (std::size_t h = 0; h < heads; ++h) {
    float* low = x + 2 * h * half;
    float* high = low + half;
#pragma GCC ivdep
    for (std::size_t i = 0; i < half; ++i) {
      const float s = sign * sine[i];
      const float a = low[i];
      const float b = high[i];
      low[i] = __builtin_fmaf(a, cosine[i], -(b * s));
      high[i] = __builtin_fmaf(b, cosine[i], a * s);
    }
  }
}

}  // namespace

RopeTable::RopeTable(std::size_t positions, std::size_t head_dim, double base)
    : positions_{positions}, half_{head_dim / 2}, values_(positions * 2 * half_) {
  const double log_base = portable_log(base);
  for (std::size_t i = 0; i < half_; ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(head_dim);
    const double frequency = portable_exp(exponent * log_base);
    for (std::size_t position = 0; position < positions; ++position) {
      const double angle = static_cast<double>(position) * frequency;
      float* row = values_.data() + position * 2 * half_;
      row[i] = static_cast<float>(portable_cos(angle));
      row[half_ + i] = static_cast<float>(portable_sin(angle));
    }
  }
}

void rope(const RopeTable& table, Rotation rotation, std::span<const std::int32_t> positions,
          std::size_t heads, std::span<float> x) {
  const float sign = rotation == Rotation::forward ? 1.0f : -1.0f;
  const std::size_t width = heads * 2 * table.half();
  for (std::size_t t = 0; t < positions.size(); ++t) {
    const auto row = table.row(static_cast<std::size_t>(positions[t]));
    rotate_heads(row.data(), table.half(), sign, heads, x.data() + t * width);
  }
}

}  // namespace ballast::kernels
