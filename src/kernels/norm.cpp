#include "kernels/norm.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/isa.hpp"
#include "kernels/lanes.hpp"
#include "kernels/stored.hpp"

// RMSNorm is LayerNorm whose mean is left at 0, so both share their loops. A row is read several
// times, from the first cache all but once.
namespace ballast::kernels {

namespace {

/// Σ (x − center)^power over one row.
template <class X, int kPower>
BALLAST_INLINE float row_moment(const ElementOf<X>* x, float center, std::size_t dim) {
  LaneVector sum{};
  LaneVector value;
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    load_stored<X>(x + i, kLanes, center, value);
    value -= center;
    sum += kPower == 1 ? value : value * value;
  }
  if (i < dim) {
    load_stored<X>(x + i, dim - i, center, value);
    value -= center;
    sum += kPower == 1 ? value : value * value;
  }
  return lane_tree(sum);
}

struct Forward {
  NormKind kind;
  NormDims dims;
  float epsilon;
  const float* gain;
  float* statistics;
};

template <class X, class Y>
BALLAST_INLINE void forward_row(const Forward& norm, const ElementOf<X>* x, ElementOf<Y>* y,
                                float* statistics) {
  const std::size_t dim = norm.dims.dim;
  const float* gain = norm.gain;
  const auto count = static_cast<float>(dim);
  const float mean = norm.kind == NormKind::layer ? row_moment<X, 1>(x, 0.0f, dim) / count : 0.0f;
  const float mean_square = row_moment<X, 2>(x, mean, dim) / count;
  const float inverse = 1.0f / std::sqrt(mean_square + norm.epsilon);
#pragma GCC ivdep
  for (std::size_t i = 0; i < dim; ++i) y[i] = Y::store((X::load(x[i]) - mean) * inverse * gain[i]);
  statistics[0] = mean;
  statistics[1] = inverse;
}

template <class X, class Y>
BALLAST_INLINE void forward_of(const Forward& norm, const ElementOf<X>* x, ElementOf<Y>* y) {
  for (std::size_t r = 0; r < norm.dims.rows; ++r) {
    const std::size_t start = r * norm.dims.dim;
    forward_row<X, Y>(norm, x + start, y + start, norm.statistics + 2 * r);
  }
}

template <class X, class Y>
BALLAST_INLINE void forward_of_sum(const Forward& norm, const ElementOf<X>* x, const float* update,
                                   ElementOf<X>* sum, ElementOf<Y>* y) {
  const std::size_t dim = norm.dims.dim;
  for (std::size_t r = 0; r < norm.dims.rows; ++r) {
    const std::size_t start = r * dim;
#pragma GCC ivdep
    for (std::size_t i = start; i < start + dim; ++i) {
      sum[i] = X::store(X::load(x[i]) + update[i]);
    }
    forward_row<X, Y>(norm, sum + start, y + start, norm.statistics + 2 * r);
  }
}

BALLAST_KERNEL void forward_all(const Forward& norm, ElementType x_type, const void* x,
                                ElementType y_type, void* y) {
  with_stored(x_type, [&](auto in) BALLAST_INLINE_LAMBDA {
    with_stored(y_type, [&](auto out) BALLAST_INLINE_LAMBDA {
      forward_of<decltype(in), decltype(out)>(norm, elements(in, x), elements(out, y));
    });
  });
}

BALLAST_KERNEL void forward_all_of_sum(const Forward& norm, ElementType x_type, const void* x,
                                       const float* update, void* sum, ElementType y_type,
                                       void* y) {
  with_stored(x_type, [&](auto in) BALLAST_INLINE_LAMBDA {
    with_stored(y_type, [&](auto out) BALLAST_INLINE_LAMBDA {
      forward_of_sum<decltype(in), decltype(out)>(norm, elements(in, x), update, elements(in, sum),
                                                  elements(out, y));
    });
  });
}

/// One row of the inputs of a backward pass.
template <class X>
struct Row {
  const ElementOf<X>* x;
  const float* dy;
  float mean;
  float inverse;
};

/// Adds the row to dgain and returns Σ dy gain normalised(x).
template <class X>
BALLAST_INLINE float project(const Row<X>& row, const float* gain, float* dgain, std::size_t dim) {
  const Row<X> in = row;
  LaneVector sum{};
  LaneVector x;
  LaneVector dy;
  LaneVector g;
  for (std::size_t i = 0; i < dim; i += kLanes) {
    load_stored<X>(in.x + i, dim - i, in.mean, x);
    load_lanes(in.dy + i, dim - i, 0.0f, dy);
    load_lanes(gain + i, dim - i, 0.0f, g);
    sum += dy * g * ((x - in.mean) * in.inverse);
  }
#pragma GCC ivdep
  for (std::size_t c = 0; c < dim; ++c) {
    dgain[c] = __builtin_fmaf(in.dy[c], (X::load(in.x[c]) - in.mean) * in.inverse, dgain[c]);
  }
  return lane_tree(sum);
}

/// The means over one row of d/d normalised(x) (0 for RMSNorm) and of its product with
/// normalised(x).
struct Means {
  float gradient;
  float projection;
};

BALLAST_INLINE float gradient_of(float x, float dy, float gain, float mean, float inverse,
                                 const Means& means) {
  const float centered = __builtin_fmaf(dy, gain, -means.gradient);
  return inverse * __builtin_fmaf(-((x - mean) * inverse), means.projection, centered);
}

/// For a gradient that is wanted in fp32 only.
struct NotStored {
  using Element = float;
};

template <class X, class D, Store kStore>
BALLAST_INLINE void store_row(const Row<X>& row, const float* gain, const Means& means, float* dx,
                              ElementOf<D>* rounded, std::size_t dim) {
  const Row<X> in = row;
  const Means m = means;
#pragma GCC ivdep
  for (std::size_t i = 0; i < dim; ++i) {
    const float g = gradient_of(X::load(in.x[i]), in.dy[i], gain[i], in.mean, in.inverse, m);
    const float stored = kStore == Store::add ? dx[i] + g : g;
    dx[i] = stored;
    if constexpr (!std::is_same_v<D, NotStored>) rounded[i] = D::store(stored);
  }
}

struct Backward {
  NormKind kind;
  NormDims dims;
  const float* gain;
  const float* statistics;
  const float* dy;
  float* dx;
  Store store;
  float* dgain;
};

template <class X, class D>
BALLAST_INLINE void backward_of(const Backward& norm, const ElementOf<X>* x,
                                ElementOf<D>* rounded) {
  const std::size_t dim = norm.dims.dim;
  const auto count = static_cast<float>(dim);
  for (std::size_t r = 0; r < norm.dims.rows; ++r) {
    const std::size_t start = r * dim;
    const Row<X> row{x + start, norm.dy + start, norm.statistics[2 * r],
                     norm.statistics[2 * r + 1]};
    const float gradient = norm.kind == NormKind::layer ? lane_dot(row.dy, norm.gain, dim) : 0.0f;
    const float projection = project(row, norm.gain, norm.dgain, dim);
    const Means means{gradient / count, projection / count};
    if (norm.store == Store::overwrite) {
      store_row<X, D, Store::overwrite>(row, norm.gain, means, norm.dx + start, rounded + start,
                                        dim);
    } else {
      store_row<X, D, Store::add>(row, norm.gain, means, norm.dx + start, rounded + start, dim);
    }
  }
}

BALLAST_KERNEL void backward_all(const Backward& norm, ElementType x_type, const void* x,
                                 ElementType rounded_type, void* rounded) {
  with_stored(x_type, [&](auto in) BALLAST_INLINE_LAMBDA {
    using X = decltype(in);
    if (rounded == nullptr) {
      backward_of<X, NotStored>(norm, elements(in, x), nullptr);
      return;
    }
    with_stored(rounded_type, [&](auto out) BALLAST_INLINE_LAMBDA {
      backward_of<X, decltype(out)>(norm, elements(in, x), elements(out, rounded));
    });
  });
}

}  // namespace

void norm_forward(NormKind kind, NormDims dims, float epsilon, const ConstElements& x,
                  std::span<const float> gain, const Elements& y, std::span<float> statistics) {
  forward_all({kind, dims, epsilon, gain.data(), statistics.data()}, x.type(), x.data(), y.type(),
              y.data());
}

void norm_forward_of_sum(NormKind kind, NormDims dims, float epsilon, const ConstElements& x,
                         std::span<const float> update, const Elements& sum,
                         std::span<const float> gain, const Elements& y,
                         std::span<float> statistics) {
  forward_all_of_sum({kind, dims, epsilon, gain.data(), statistics.data()}, x.type(), x.data(),
                     update.data(), sum.data(), y.type(), y.data());
}

void norm_backward(NormKind kind, NormDims dims, const ConstElements& x,
                   std::span<const float> gain, std::span<const float> statistics,
                   std::span<const float> dy, std::span<float> dx, Store store_dx,
                   std::span<float> dgain, Store store_dgain, const Elements& rounded_dx) {
  if (store_dgain == Store::overwrite) std::ranges::fill(dgain, 0.0f);
  backward_all(
      {kind, dims, gain.data(), statistics.data(), dy.data(), dx.data(), store_dx, dgain.data()},
      x.type(), x.data(), rounded_dx.type(), rounded_dx.empty() ? nullptr : rounded_dx.data());
}

}  // namespace ballast::kernels
