#include "kernels/rope.hpp"

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/math.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"

namespace ballast::kernels {

namespace {

/// One table row is `half` cosines, then `half` sines; `sign` is the direction.
template <class X, class Y>
BALLAST_INLINE void rotate_of(const float* row, std::size_t half, float sign, std::size_t heads,
                              const ElementOf<X>* x, ElementOf<Y>* y) {
  const float* cosine = row;
  const float* sine = row + half;
  for (std::size_t h = 0; h < heads; ++h) {
    const ElementOf<X>* low = x + 2 * h * half;
    const ElementOf<X>* high = low + half;
    ElementOf<Y>* low_out = y + 2 * h * half;
    ElementOf<Y>* high_out = low_out + half;
    BALLAST_INDEPENDENT
    for (std::size_t i = 0; i < half; ++i) {
      const float s = sign * sine[i];
      const float a = X::load(low[i]);
      const float b = X::load(high[i]);
      low_out[i] = Y::store(__builtin_fmaf(a, cosine[i], -(b * s)));
      high_out[i] = Y::store(__builtin_fmaf(b, cosine[i], a * s));
    }
  }
}

BALLAST_KERNEL void rotate_heads(const float* row, std::size_t half, float sign, std::size_t heads,
                                 ElementType x_type, const void* x, ElementType y_type, void* y) {
  with_stored(x_type, [&](auto in) BALLAST_INLINE_LAMBDA {
    with_stored(y_type, [&](auto out) BALLAST_INLINE_LAMBDA {
      rotate_of<decltype(in), decltype(out)>(row, half, sign, heads, elements(in, x),
                                             elements(out, y));
    });
  });
}

}  // namespace

RopeTable::RopeTable(std::size_t positions, std::size_t head_dim, const RopeRule& rule)
    : positions_{positions}, half_{head_dim / 2}, values_(positions * 2 * half_) {
  const auto [frequencies, magnitude] = rope_frequencies(rule, head_dim);
  for (std::size_t i = 0; i < half_; ++i) {
    for (std::size_t position = 0; position < positions; ++position) {
      const double angle = static_cast<double>(position) * frequencies[i];
      float* row = values_.data() + position * 2 * half_;
      row[i] = static_cast<float>(magnitude * portable_cos(angle));
      row[half_ + i] = static_cast<float>(magnitude * portable_sin(angle));
    }
  }
}

void rope(const RopeTable& table, Rotation rotation, std::span<const std::int32_t> positions,
          std::size_t heads, const ConstElements& x, const Elements& y, Team* team) {
  const float sign = rotation == Rotation::forward ? 1.0f : -1.0f;
  const std::size_t width = heads * 2 * table.half();
  for_rows(team, positions.size(), width, [&](std::size_t first, std::size_t count) {
    for (std::size_t t = first; t < first + count; ++t) {
      const auto row = table.row(static_cast<std::size_t>(positions[t]));
      const ConstElements from = x.subspan(t * width, width);
      const Elements to = y.subspan(t * width, width);
      rotate_heads(row.data(), table.half(), sign, heads, from.type(), from.data(), to.type(),
                   to.data());
    }
  });
}

}  // namespace ballast::kernels
