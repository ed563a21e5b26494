#include "kernels/norm.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/isa.hpp"
#include "kernels/lanes.hpp"

// RMSNorm is LayerNorm whose mean is left at 0, so both share their loops.
namespace ballast::kernels {

namespace {

BALLAST_KERNEL void forward_rows(NormKind kind, NormDims dims, float epsilon, const float* x,
                                 const float* gain, float* y, float* statistics) {
  const auto count = static_cast<float>(dims.dim);
  for (std::size_t r = 0; r < dims.rows; ++r, x += dims.dim, y += dims.dim, statistics += 2) {
    const float mean = kind == NormKind::layer ? lane_sum(x, dims.dim) / count : 0.0f;
    const float mean_square = lane_squares(x, mean, dims.dim) / count;
    const float inverse = 1.0f / std::sqrt(mean_square + epsilon);
#pragma GCC ivdep
    for (std::size_t i = 0; i < dims.dim; ++i) y[i] = (x[i] - mean) * inverse * gain[i];
    statistics[0] = mean;
    statistics[1] = inverse;
  }
}

/// One row of the inputs of a backward pass.
struct Row {
  const float* x;
  const float* dy;
  float mean;
  float inverse;
};

/// Adds the row to dgain and returns Σ dy gain normalised(x).
BALLAST_INLINE float project(const Row& row, const float* gain, float* dgain, std::size_t dim) {
  const Row in = row;
  LaneVector sum{};
  LaneVector x;
  LaneVector dy;
  LaneVector g;
  for (std::size_t i = 0; i < dim; i += kLanes) {
    load_lanes(in.x + i, dim - i, in.mean, x);
    load_lanes(in.dy + i, dim - i, 0.0f, dy);
    load_lanes(gain + i, dim - i, 0.0f, g);
    sum += dy * g * ((x - in.mean) * in.inverse);
  }
#pragma GCC ivdep
  for (std::size_t c = 0; c < dim; ++c) {
    dgain[c] = __builtin_fmaf(in.dy[c], (in.x[c] - in.mean) * in.inverse, dgain[c]);
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

BALLAST_INLINE void store_row(const Row& row, const float* gain, const Means& means, float* dx,
                              Store store, std::size_t dim) {
  const Row in = row;
  if (store == Store::overwrite) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < dim; ++i) {
      dx[i] = gradient_of(in.x[i], in.dy[i], gain[i], in.mean, in.inverse, means);
    }
  } else {
#pragma GCC ivdep
    for (std::size_t i = 0; i < dim; ++i) {
      dx[i] += gradient_of(in.x[i], in.dy[i], gain[i], in.mean, in.inverse, means);
    }
  }
}

BALLAST_KERNEL void backward_rows(NormKind kind, NormDims dims, const float* x, const float* gain,
                                  const float* statistics, const float* dy, float* dx, Store store,
                                  float* dgain) {
  const auto count = static_cast<float>(dims.dim);
  for (std::size_t r = 0; r < dims.rows; ++r) {
    const std::size_t start = r * dims.dim;
    const Row row{x + start, dy + start, statistics[2 * r], statistics[2 * r + 1]};
    const float gradient = kind == NormKind::layer ? lane_dot(row.dy, gain, dims.dim) : 0.0f;
    const float projection = project(row, gain, dgain, dims.dim);
    store_row(row, gain, {gradient / count, projection / count}, dx + start, store, dims.dim);
  }
}

}  // namespace

void norm_forward(NormKind kind, NormDims dims, float epsilon, std::span<const float> x,
                  std::span<const float> gain, std::span<float> y, std::span<float> statistics) {
  forward_rows(kind, dims, epsilon, x.data(), gain.data(), y.data(), statistics.data());
}

void norm_backward(NormKind kind, NormDims dims, std::span<const float> x,
                   std::span<const float> gain, std::span<const float> statistics,
                   std::span<const float> dy, std::span<float> dx, Store store_dx,
                   std::span<float> dgain, Store store_dgain) {
  if (store_dgain == Store::overwrite) std::ranges::fill(dgain, 0.0f);
  backward_rows(kind, dims, x.data(), gain.data(), statistics.data(), dy.data(), dx.data(),
                store_dx, dgain.data());
}

}  // namespace ballast::kernels
