#include "kernels/norm.hpp"

#include <cmath>

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"
#include "kernels/norm_gain.hpp"

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
  NormRule rule;
  NormDims dims;
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
  const float mean =
      norm.rule.kind == NormKind::layer ? row_moment<X, 1>(x, 0.0f, dim) / count : 0.0f;
  const float mean_square = row_moment<X, 2>(x, mean, dim) / count;
  statistics[0] = mean;
  statistics[1] = 1.0f / std::sqrt(mean_square + norm.rule.epsilon);
}

template <class X, class Y, class Gain>
BALLAST_INLINE void normalize_row(const ElementOf<X>* x, const float* statistics, const Gain& of,
                                  ElementOf<Y>* y, std::size_t dim) {
  const float mean = statistics[0];
  const float inverse = statistics[1];
  const Gain gain = of;
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < dim; ++i) {
    y[i] = Y::store((X::load(x[i]) - mean) * inverse * gain.of(gain.values[i]));
  }
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
        with_gain(norm.gain, norm.rule.gain_offset, [&](const auto& gain) BALLAST_INLINE_LAMBDA {
          normalize_row<X, decltype(out)>(row, statistics, gain, elements(out, y) + start, dim);
        });
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

}  // namespace

void norm_forward(const NormRule& rule, NormDims dims, const ConstElements& x,
                  std::span<const float> gain, const Elements& y, std::span<float> statistics,
                  Team* team) {
  // Only read: nothing is added.
  const Elements sum{const_cast<std::byte*>(x.data()), x.size(), x.type()};
  forward_rows({rule, dims, nullptr, gain.data(), statistics.data()}, x, sum, y, team);
}

void norm_forward_of_sum(const NormRule& rule, NormDims dims, const ConstElements& x,
                         std::span<const float> update, const Elements& sum,
                         std::span<const float> gain, const Elements& y,
                         std::span<float> statistics, Team* team) {
  forward_rows({rule, dims, update.data(), gain.data(), statistics.data()}, x, sum, y, team);
}

}  // namespace ballast::kernels
