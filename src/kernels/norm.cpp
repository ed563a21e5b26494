#include "kernels/norm.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"

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
  const float* update;  ///< null where nothing is added
  const float* gain;
  float* statistics;
};

template <class X>
BALLAST_INLINE void add_row(const ElementOf<X>* x, const float* update, ElementOf<X>* sum,
                            std::size_t dim) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < dim; ++i) sum[i] = X::store(X::load(x[i]) + update[i]);
}

template <class X>
BALLAST_INLINE void take_statistics(const Forward& norm, const ElementOf<X>* x, float* statistics) {
  const std::size_t dim = norm.dims.dim;
  const auto count = static_cast<float>(dim);
  const float mean = norm.kind == NormKind::layer ? row_moment<X, 1>(x, 0.0f, dim) / count : 0.0f;
  const float mean_square = row_moment<X, 2>(x, mean, dim) / count;
  statistics[0] = mean;
  statistics[1] = 1.0f / std::sqrt(mean_square + norm.epsilon);
}

template <class X, class Y>
BALLAST_INLINE void normalize_row(const ElementOf<X>* x, const float* statistics, const float* gain,
                                  ElementOf<Y>* y, std::size_t dim) {
  const float mean = statistics[0];
  const float inverse = statistics[1];
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < dim; ++i) y[i] = Y::store((X::load(x[i]) - mean) * inverse * gain[i]);
}

/// `sum` is what is normalized: x itself where nothing is added to it.
BALLAST_KERNEL void forward_all(const Forward& norm, ElementType x_type, const void* x, void* sum,
                                ElementType y_type, void* y) {
  const std::size_t dim = norm.dims.dim;
  with_stored(x_type, [&](auto in) BALLAST_INLINE_LAMBDA {
    using X = decltype(in);
    for (std::size_t r = 0; r < norm.dims.rows; ++r) {
      const std::size_t start = r * dim;
      ElementOf<X>* row = elements(in, sum) + start;
      float* statistics = norm.statistics + 2 * r;
      if (norm.update != nullptr) {
        add_row<X>(elements(in, x) + start, norm.update + start, row, dim);
      }
      take_statistics<X>(norm, row, statistics);
      with_stored(y_type, [&](auto out) BALLAST_INLINE_LAMBDA {
        normalize_row<X, decltype(out)>(row, statistics, norm.gain, elements(out, y) + start, dim);
      });
    }
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

template <class X>
BALLAST_INLINE void add_to_gain(const Row<X>& row, float* dgain, std::size_t dim) {
  const Row<X> in = row;
  BALLAST_INDEPENDENT
  for (std::size_t c = 0; c < dim; ++c) {
    dgain[c] = __builtin_fmaf(in.dy[c], (X::load(in.x[c]) - in.mean) * in.inverse, dgain[c]);
  }
}

/// Σ dy gain normalized(x).
template <class X>
BALLAST_INLINE float project(const Row<X>& row, const float* gain, std::size_t dim) {
  const Row<X> in = row;
  LaneVector sum{};
  LaneVector x;
  LaneVector dy;
  LaneVector g;
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    load_stored<X>(in.x + i, kLanes, in.mean, x);
    load_lanes(in.dy + i, kLanes, 0.0f, dy);
    load_lanes(gain + i, kLanes, 0.0f, g);
    sum += dy * g * ((x - in.mean) * in.inverse);
  }
  if (i < dim) {
    load_stored<X>(in.x + i, dim - i, in.mean, x);
    load_stored<StoredFp32>(in.dy + i, dim - i, 0.0f, dy);
    load_stored<StoredFp32>(gain + i, dim - i, 0.0f, g);
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

template <class X, Store kStore>
BALLAST_INLINE void store_row(const Row<X>& row, const float* gain, const Means& means, float* dx,
                              std::size_t dim) {
  const Row<X> in = row;
  const Means m = means;
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < dim; ++i) {
    const float g = gradient_of(X::load(in.x[i]), in.dy[i], gain[i], in.mean, in.inverse, m);
    dx[i] = kStore == Store::add ? dx[i] + g : g;
  }
}

template <class D>
BALLAST_INLINE void round_row(const float* dx, ElementOf<D>* rounded, std::size_t dim) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < dim; ++i) rounded[i] = D::store(dx[i]);
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

/// `rounded` may be null.
BALLAST_KERNEL void backward_all(const Backward& norm, ElementType x_type, const void* x,
                                 ElementType rounded_type, void* rounded) {
  const std::size_t dim = norm.dims.dim;
  const auto count = static_cast<float>(dim);
  with_stored(x_type, [&](auto in) BALLAST_INLINE_LAMBDA {
    for (std::size_t r = 0; r < norm.dims.rows; ++r) {
      const std::size_t start = r * dim;
      const Row<decltype(in)> row{elements(in, x) + start, norm.dy + start, norm.statistics[2 * r],
                                  norm.statistics[2 * r + 1]};
      float* dx = norm.dx + start;
      const float gradient = norm.kind == NormKind::layer ? lane_dot(row.dy, norm.gain, dim) : 0.0f;
      const float projection = project(row, norm.gain, dim);
      add_to_gain(row, norm.dgain, dim);
      const Means means{gradient / count, projection / count};
      if (norm.store == Store::overwrite) {
        store_row<decltype(in), Store::overwrite>(row, norm.gain, means, dx, dim);
      } else {
        store_row<decltype(in), Store::add>(row, norm.gain, means, dx, dim);
      }
      if (rounded == nullptr) continue;
      with_stored(rounded_type, [&](auto out) BALLAST_INLINE_LAMBDA {
        round_row<decltype(out)>(dx, elements(out, rounded) + start, dim);
      });
    }
  });
}

/// Runs of rows of a forward pass. `sum` may be x, which is then only read.
void forward_rows(const Forward& norm, const ConstElements& x, const Elements& sum,
                  const Elements& y, Team* team) {
  const std::size_t dim = norm.dims.dim;
  for_rows(team, norm.dims.rows, dim, [&](std::size_t first, std::size_t count) {
    Forward part = norm;
    part.dims.rows = count;
    if (part.update != nullptr) part.update += first * dim;
    part.statistics += first * 2;
    const auto of = [&](const auto& all) { return all.subspan(first * dim, count * dim).data(); };
    forward_all(part, x.type(), of(x), of(sum), y.type(), of(y));
  });
}

/// Rows whose gradients of the gain are added up by themselves.
std::size_t part_rows(std::size_t rows) {
  constexpr std::size_t kMostParts = 32;
  constexpr std::size_t kFewestRows = 16;
  return std::max(kFewestRows, (rows + kMostParts - 1) / kMostParts);
}

std::size_t parts_of(std::size_t rows) { return (rows + part_rows(rows) - 1) / part_rows(rows); }

/// Each part of the rows leaves its gradient of the gain in its [dim] of `sums`.
void backward_parts(const Backward& norm, const ConstElements& x, std::span<float> sums,
                    const Elements& rounded, Team* team) {
  const std::size_t dim = norm.dims.dim;
  const std::size_t rows = part_rows(norm.dims.rows);
  run_tasks(team, parts_of(norm.dims.rows), [&](std::size_t task, std::size_t) {
    const std::size_t first = task * rows;
    Backward part = norm;
    part.dims.rows = std::min(rows, norm.dims.rows - first);
    part.statistics += first * 2;
    part.dy += first * dim;
    part.dx += first * dim;
    part.dgain = sums.data() + task * dim;
    std::ranges::fill(sums.subspan(task * dim, dim), 0.0f);
    const auto of = [&](const auto& all) {
      return all.subspan(first * dim, part.dims.rows * dim).data();
    };
    backward_all(part, x.type(), of(x), rounded.type(), rounded.empty() ? nullptr : of(rounded));
  });
}

}  // namespace

void norm_forward(NormKind kind, NormDims dims, float epsilon, const ConstElements& x,
                  std::span<const float> gain, const Elements& y, std::span<float> statistics,
                  Team* team) {
  // Only read: nothing is added.
  const Elements sum{const_cast<std::byte*>(x.data()), x.size(), x.type()};
  forward_rows({kind, dims, epsilon, nullptr, gain.data(), statistics.data()}, x, sum, y, team);
}

void norm_forward_of_sum(NormKind kind, NormDims dims, float epsilon, const ConstElements& x,
                         std::span<const float> update, const Elements& sum,
                         std::span<const float> gain, const Elements& y,
                         std::span<float> statistics, Team* team) {
  forward_rows({kind, dims, epsilon, update.data(), gain.data(), statistics.data()}, x, sum, y,
               team);
}

std::size_t gain_scratch_numel(NormDims dims) { return parts_of(dims.rows) * dims.dim; }

void norm_backward(NormKind kind, NormDims dims, const ConstElements& x,
                   std::span<const float> gain, std::span<const float> statistics,
                   std::span<const float> dy, std::span<float> dx, Store store_dx,
                   const GainGradient& dgain, const Elements& rounded_dx, Team* team) {
  const std::size_t needed = gain_scratch_numel(dims);
  if (dgain.scratch.size() < needed) {
    throw internal_error("a norm's backward needs {} floats of scratch, not {}", needed,
                         dgain.scratch.size());
  }
  const auto sums = dgain.scratch.first(needed);
  backward_parts({kind, dims, gain.data(), statistics.data(), dy.data(), dx.data(), store_dx, {}},
                 x, sums, rounded_dx, team);
  if (dgain.values.empty()) return;
  if (dgain.store == Store::overwrite) std::ranges::fill(dgain.values, 0.0f);
  for (std::size_t at = 0; at < sums.size(); at += dims.dim) {
    for (std::size_t c = 0; c < dims.dim; ++c) dgain.values[c] += sums[at + c];
  }
}

}  // namespace ballast::kernels
