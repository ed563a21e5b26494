#include <cstddef>

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/stored.hpp"
#include "kernels/norm.hpp"
#include "kernels/norm_gain.hpp"

// RMSNorm is LayerNorm whose mean is left at 0, so both share their loops.
namespace ballast::kernels {

namespace {

/// One row of the inputs of a backward pass.
template <class X>
struct Row {
  const ElementOf<X>* x;
  const float* dy;
  float mean;
  float inverse;
};

template <class X>
BALLAST_INLINE void add_to_gain(const Row<X>& row, float* dgain, std::size_t dim) {
  const Row<X> in = row;
  BALLAST_INDEPENDENT
  for (std::size_t c = 0; c < dim; ++c) {
    dgain[c] = __builtin_fmaf(in.dy[c], (X::load(in.x[c]) - in.mean) * in.inverse, dgain[c]);
  }
}

/// Σ dy gain.
template <class Gain>
BALLAST_INLINE float sum_of_gradients(const float* dy, const Gain& gain, std::size_t dim) {
  LaneVector sum{};
  LaneVector d;
  LaneVector g;
  for (std::size_t i = 0; i < dim; i += kLanes) {
    load_lanes(dy + i, dim - i, 0.0f, d);
    load_lanes(gain.values + i, dim - i, 0.0f, g);
    gain.shift(g);
    sum += d * g;
  }
  return lane_tree(sum);
}

/// Σ dy gain normalized(x).
template <class X, class Gain>
BALLAST_INLINE float project(const Row<X>& row, const Gain& gain, std::size_t dim) {
  const Row<X> in = row;
  LaneVector sum{};
  LaneVector x;
  LaneVector dy;
  LaneVector g;
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    load_stored<X>(in.x + i, kLanes, in.mean, x);
    load_lanes(in.dy + i, kLanes, 0.0f, dy);
    load_lanes(gain.values + i, kLanes, 0.0f, g);
    gain.shift(g);
    sum += dy * g * ((x - in.mean) * in.inverse);
  }
  if (i < dim) {
    load_stored<X>(in.x + i, dim - i, in.mean, x);
    load_stored<StoredFp32>(in.dy + i, dim - i, 0.0f, dy);
    load_stored<StoredFp32>(gain.values + i, dim - i, 0.0f, g);
    gain.shift(g);
    sum += dy * g * ((x - in.mean) * in.inverse);
  }
  return lane_tree(sum);
}

/// The means over one row of d/d normalized(x) (0 for RMSNorm) and of its product with
/// normalized(x).
struct Means {
  float gradient;
  float projection;
};

BALLAST_INLINE float gradient_of(float x, float dy, float gain, float mean, float inverse,
                                 const Means& means) {
  const float centered = __builtin_fmaf(dy, gain, -means.gradient);
  return inverse * __builtin_fmaf(-((x - mean) * inverse), means.projection, centered);
}

template <class X, Store kStore, class Gain>
BALLAST_INLINE void store_row(const Row<X>& row, const Gain& of, const Means& means, float* dx,
                              std::size_t dim) {
  const Row<X> in = row;
  const Gain gain = of;
  const Means m = means;
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < dim; ++i) {
    const float g =
        gradient_of(X::load(in.x[i]), in.dy[i], gain.of(gain.values[i]), in.mean, in.inverse, m);
    dx[i] = kStore == Store::add ? dx[i] + g : g;
  }
}

template <class D>
BALLAST_INLINE void round_row(const float* dx, ElementOf<D>* rounded, std::size_t dim) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < dim; ++i) rounded[i] = D::store(dx[i]);
}

/// dx of one row.
template <class X, class Gain>
BALLAST_INLINE void row_gradient(NormKind kind, const Row<X>& row, const Gain& gain, Store store,
                                 float* dx, std::size_t dim) {
  const auto count = static_cast<float>(dim);
  const float gradient = kind == NormKind::layer ? sum_of_gradients(row.dy, gain, dim) : 0.0f;
  const Means means{gradient / count, project(row, gain, dim) / count};
  if (store == Store::overwrite) {
    store_row<X, Store::overwrite>(row, gain, means, dx, dim);
  } else {
    store_row<X, Store::add>(row, gain, means, dx, dim);
  }
}

struct Backward {
  NormRule rule;
  NormDims dims;
  const float* gain;
  const float* statistics;
  const float* dy;
  float* dx;
  Store store;
  float* dgain;
};

/// `rounded` may be null.
BALLAST_KERNEL void backward_all(const Backward& norm, ElementType x_type, const void* x,
                                 ElementType rounded_type, void* rounded) {
  const std::size_t dim = norm.dims.dim;
  with_stored(x_type, [&](auto in) BALLAST_INLINE_LAMBDA {
    for (std::size_t r = 0; r < norm.dims.rows; ++r) {
      const std::size_t start = r * dim;
      const Row<decltype(in)> row{elements(in, x) + start, norm.dy + start, norm.statistics[2 * r],
                                  norm.statistics[2 * r + 1]};
      float* dx = norm.dx + start;
      add_to_gain(row, norm.dgain, dim);  // before dx, which may take the place of dy
      with_gain(norm.gain, norm.rule.gain_offset, [&](const auto& gain) BALLAST_INLINE_LAMBDA {
        row_gradient(norm.rule.kind, row, gain, norm.store, dx, dim);
      });
      if (rounded == nullptr) continue;
      with_stored(rounded_type, [&](auto out) BALLAST_INLINE_LAMBDA {
        round_row<decltype(out)>(dx, elements(out, rounded) + start, dim);
      });
    }
  });
}

/// Each part of the rows leaves its gradient of the gain in its sums.
void backward_rows(const Backward& norm, const ConstElements& x, const GainGradient& dgain,
                   const Elements& rounded, Team* team) {
  const std::size_t dim = norm.dims.dim;
  sum_columns(team, norm.dims.rows, dim, dgain,
              [&](std::size_t first, std::size_t count, std::span<float> sums) {
                Backward part = norm;
                part.dims.rows = count;
                part.statistics += first * 2;
                part.dy += first * dim;
                part.dx += first * dim;
                part.dgain = sums.data();
                const auto of = [&](const auto& all) {
                  return all.subspan(first * dim, count * dim).data();
                };
                backward_all(part, x.type(), of(x), rounded.type(),
                             rounded.empty() ? nullptr : of(rounded));
              });
}

}  // namespace

void norm_backward(const NormRule& rule, NormDims dims, const ConstElements& x,
                   std::span<const float> gain, std::span<const float> statistics,
                   std::span<const float> dy, std::span<float> dx, Store store_dx,
                   const GainGradient& dgain, const Elements& rounded_dx, Team* team) {
  backward_rows({rule, dims, gain.data(), statistics.data(), dy.data(), dx.data(), store_dx, {}}, x,
                dgain, rounded_dx, team);
}

}  // namespace ballast::kernels
