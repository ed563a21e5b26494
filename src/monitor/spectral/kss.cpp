#include "monitor/spectral/kss.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "base/error.hpp"
#include "kernels/lanes/math.hpp"
#include "monitor/spectral/lapack.hpp"
#include "monitor/spectral/moments_fixed_point.hpp"

namespace ballast::monitor {

namespace {

using fixed_point::chunk_of;
using fixed_point::kChunkRows;

/// Below it an eigenvalue's direction means nothing, and the loss is flat.
constexpr double kSmallestMagnitude = 1e-12;

using Complex = std::complex<double>;

double sigmoid(double x) { return 1.0 / (1.0 + kernels::portable_exp(-x)); }

double softplus(double x) {
  return std::max(x, 0.0) + kernels::portable_log(1.0 + kernels::portable_exp(-std::fabs(x)));
}

/// u^* v of mode j, both of unit length.
Complex overlap(const Decomposition& d, std::size_t j) {
  const std::size_t r = d.rank;
  Complex sum = 0.0;
  const bool is_real = d.eigenvalues[j].imag() == 0.0;
  for (std::size_t i = 0; i < r; ++i) {
    const Complex u{d.left[i + j * r], is_real ? 0.0 : d.left[i + (j + 1) * r]};
    const Complex v{d.right[i + j * r], is_real ? 0.0 : d.right[i + (j + 1) * r]};
    sum += std::conj(u) * v;
  }
  return sum;
}

/// The distance of eigenvalue j from the nearest other one.
double gap_at(std::span<const Complex> values, std::size_t j) {
  double gap = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (k != j) gap = std::min(gap, std::abs(values[k] - values[j]));
  }
  return gap;
}

std::size_t columns_at(const Decomposition& d, std::size_t j) {
  return d.eigenvalues[j].imag() == 0.0 ? 1 : 2;
}

/// out = the chunk of rows from `first` on, less their mean. Returns how many there are.
std::size_t center(const StreamRows& from, std::size_t first, std::span<const double> mean,
                   std::span<double> out) {
  const auto chunk = chunk_of(from.rows, first);
  fixed_point::widen(chunk, from.shift, out);
  for (std::size_t i = 0; i < chunk.rows; ++i) {
    for (std::size_t j = 0; j < mean.size(); ++j) out[i * mean.size() + j] -= mean[j];
  }
  return chunk.rows;
}

void round_to_floats(std::span<const double> values, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(values[i]);
}

}  // namespace

KssGradient::KssGradient(std::size_t dim)
    : dim_{dim},
      slopes_(dim),
      left_(dim * dim),
      product_(dim * dim),
      x_(kChunkRows * dim),
      y_(kChunkRows * dim),
      out_(kChunkRows * dim) {}

KssLoss KssGradient::evaluate(const SpectralSolver& solver, const PairMoments& moments,
                              const KssOptions& options, KssOperator& out) {
  const Decomposition d = solver.decomposition();
  if (d.dim != dim_ || moments.dim != dim_ || out.dim() != dim_) {
    throw internal_error("a spectrum of dimension {} for a gradient of {}", d.dim, dim_);
  }
  KssLoss loss = measure(d, options);
  loss.has_gradient = d.rank == dim_;
  std::ranges::fill(out.values(), 0.0);
  if (!loss.has_gradient) return loss;
  drop_unusable(d, options, loss);
  form_slope(d);
  form_matrices(d, static_cast<double>(moments.samples - 1), out);
  std::ranges::copy(moments.mean_x, out.mean_x().begin());
  std::ranges::copy(moments.mean_y, out.mean_y().begin());
  loss.has_gradient =
      std::ranges::all_of(out.values(), [](double value) { return std::isfinite(value); });
  if (!loss.has_gradient) std::ranges::fill(out.values(), 0.0);
  return loss;
}

/// The loss, and its derivatives by the magnitudes of the eigenvalues.
KssLoss KssGradient::measure(const Decomposition& d, const KssOptions& options) {
  KssLoss loss;
  if (d.rank == 0) return loss;
  const double share = 1.0 / static_cast<double>(d.rank);
  const double unstable_share = options.unstable == UnstableTerm::mean ? share : 1.0;
  const double sharpness = options.sharpness;
  const auto sides = [&](std::size_t j) {
    const double magnitude = std::abs(d.eigenvalues[j]);
    return std::pair{sigmoid(sharpness * (magnitude - options.lower)),
                     sigmoid(sharpness * (options.upper - magnitude))};
  };
  for (std::size_t j = 0; j < d.rank; ++j) {
    const double excess = std::abs(d.eigenvalues[j]) - options.upper;
    const double gate = sigmoid(sharpness * excess);
    const double penalty = softplus(excess);
    loss.unstable += unstable_share * gate * penalty * penalty;
    slopes_[j] = unstable_share * gate * penalty *
                 (sharpness * (1.0 - gate) * penalty + 2.0 * sigmoid(excess));
    const auto [above, below] = sides(j);
    loss.near_unit += share * above * below;
  }
  const double miss = loss.near_unit - options.near_unit;
  for (std::size_t j = 0; j < d.rank; ++j) {
    const auto [above, below] = sides(j);
    slopes_[j] += 2.0 * options.weight * miss * share * sharpness * above * below * (below - above);
  }
  loss.loss = loss.unstable + options.weight * miss * miss;
  return loss;
}

void KssGradient::drop_unusable(const Decomposition& d, const KssOptions& options, KssLoss& loss) {
  for (std::size_t j = 0; j < d.rank; j += columns_at(d, j)) {
    const bool is_usable = gap_at(d.eigenvalues, j) >= options.smallest_gap &&
                           std::abs(overlap(d, j)) * options.largest_left >= 1.0 &&
                           std::abs(d.eigenvalues[j]) >= kSmallestMagnitude;
    if (is_usable) continue;
    slopes_[j] = 0.0;
    loss.skipped += columns_at(d, j);
  }
}

/// product_ = Γ of the whitened operator: Σ_j dL/d|λ_j| Re(λ̄_j/|λ_j| ū_j v_j^T) with u_j^* v_j = 1.
/// A pair's two modes contribute the same: the first one stands for both.
void KssGradient::form_slope(const Decomposition& d) {
  const std::size_t r = d.rank;
  for (std::size_t j = 0; j < r; j += columns_at(d, j)) {
    const std::size_t columns = columns_at(d, j);
    Complex factor = 0.0;
    if (slopes_[j] != 0.0) {
      const Complex value = d.eigenvalues[j];
      factor = static_cast<double>(columns) * slopes_[j] * std::conj(value) /
               (std::abs(value) * overlap(d, j));
    }
    // Re(f (a − i b)(c + i e)^T) = (Re f a + Im f b) c^T + (Re f b − Im f a) e^T
    for (std::size_t i = 0; i < r; ++i) {
      const double re = d.left[i + j * r];
      const double im = columns == 1 ? 0.0 : d.left[i + (j + 1) * r];
      left_[i + j * r] = factor.real() * re + factor.imag() * im;
      if (columns == 2) left_[i + (j + 1) * r] = factor.real() * im - factor.imag() * re;
    }
  }
  lapack::multiply({r, r, r}, {left_, r}, {d.right, r, lapack::Op::transposed}, product_);
}

/// From Γ of the whitened operator, in the eigenbasis of S, to the matrices that samples are
/// multiplied by. There A_0 = Y X^+ is W^-1 A W and (X X^T)^-1 is diagonal.
void KssGradient::form_matrices(const Decomposition& d, double degrees, KssOperator& out) {
  const std::size_t r = d.rank;
  const auto y_from_x = out.y_from_x(), x_from_x = out.x_from_x();
  for (std::size_t j = 0; j < r; ++j) {
    for (std::size_t i = 0; i < r; ++i) {
      const double ratio = d.whitening[i] / d.whitening[j];
      y_from_x[i + j * r] = product_[i + j * r] * ratio / (d.variances[j] * degrees);
      left_[i + j * r] = d.whitened[i + j * r] / ratio;  // A_0
    }
  }
  lapack::multiply({r, r, r}, {left_, r, lapack::Op::transposed}, {y_from_x, r}, product_);
  for (std::size_t j = 0; j < r; ++j) {
    for (std::size_t i = 0; i < r; ++i) {
      x_from_x[i + j * r] = -(product_[i + j * r] + product_[j + i * r]);
    }
  }
  rotate(d, y_from_x);
  rotate(d, x_from_x);
}

/// matrix = U matrix U^T
void KssGradient::rotate(const Decomposition& d, std::span<double> matrix) {
  const std::size_t m = dim_;
  lapack::multiply({m, m, m}, {d.basis, m}, {matrix, m}, product_);
  lapack::multiply({m, m, m}, {product_, m}, {d.basis, m, lapack::Op::transposed}, matrix);
}

void KssGradient::check(const KssOperator& from, const StreamRows& rows,
                        std::span<const float> gradient) const {
  if (from.dim() != dim_ || rows.rows.cols != dim_ || rows.shift.size() != dim_ ||
      gradient.size() != rows.rows.rows * dim_) {
    throw internal_error("the rows to differentiate by do not fit together");
  }
}

void KssGradient::differentiate_y(const KssOperator& from, const StreamRows& x,
                                  std::span<float> gradient) {
  check(from, x, gradient);
  const std::size_t m = dim_;
  for (std::size_t first = 0; first < x.rows.rows; first += kChunkRows) {
    const std::size_t count = center(x, first, from.mean_x(), x_);
    lapack::multiply({m, count, m}, {from.y_from_x(), m}, {x_, m}, out_);
    round_to_floats(out_, gradient.subspan(first * m, count * m));
  }
}

void KssGradient::differentiate_x(const KssOperator& from, const StreamRows& x, const StreamRows& y,
                                  std::span<float> gradient) {
  check(from, x, gradient);
  check(from, y, gradient);
  const std::size_t m = dim_;
  for (std::size_t first = 0; first < x.rows.rows; first += kChunkRows) {
    const std::size_t count = center(x, first, from.mean_x(), x_);
    (void)center(y, first, from.mean_y(), y_);
    lapack::multiply({m, count, m}, {from.x_from_x(), m}, {x_, m}, out_);
    lapack::multiply({m, count, m}, {from.y_from_x(), m, lapack::Op::transposed}, {y_, m}, out_,
                     lapack::Store::add);
    round_to_floats(out_, gradient.subspan(first * m, count * m));
  }
}

}  // namespace ballast::monitor
