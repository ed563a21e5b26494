#include "monitor/spectral/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/error.hpp"
#include "monitor/spectral/spectrum_measures.hpp"

namespace ballast::monitor {

namespace {

/// Directions of less than this share of the largest one's regularised weight are dropped.
constexpr double kSmallestWeight = 1e-10;
constexpr double kIdentityUpdate = 1e-3;
constexpr double kLargestCondition = 1e8;
constexpr double kTolerated = 1e-12;  // keeps quotients finite

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

double trace(std::span<const double> matrix, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += matrix[i * n + i];
  return sum;
}

double root_of(double square) { return std::sqrt(std::max(square, 0.0)); }

}  // namespace

std::string_view name_of(SpectrumStatus status) {
  switch (status) {
    case SpectrumStatus::ok:
      return "ok";
    case SpectrumStatus::rank_deficient:
      return "rank_deficient";
    case SpectrumStatus::identity:
      return "identity";
    case SpectrumStatus::too_few_samples:
      return "too_few_samples";
    case SpectrumStatus::constant:
      return "constant";
    case SpectrumStatus::non_finite:
      return "non_finite";
    case SpectrumStatus::not_converged:
      return "not_converged";
  }
  throw internal_error("a spectrum has no status {}", static_cast<int>(status));
}

SpectralSolver::SpectralSolver(std::size_t dim, SpectralOptions options)
    : dim_{dim},
      options_{options},
      workspace_{dim, dim},
      basis_(dim * dim),
      variances_(dim),
      whitening_(dim),
      cross_(dim * dim),
      target_(dim * dim),
      operator_(dim * dim),
      left_(dim * dim),
      right_(dim * dim),
      scratch_(dim * dim),
      real_(dim),
      imaginary_(dim),
      residuals_(dim),
      eigenvalues_(dim) {}

std::span<double> SpectralSolver::square(std::vector<double>& values) const {
  return std::span{values}.first(rank_ * rank_);
}

std::span<const double> SpectralSolver::square(const std::vector<double>& values) const {
  return std::span{values}.first(rank_ * rank_);
}

std::span<const std::complex<double>> SpectralSolver::eigenvalues() const {
  return std::span{eigenvalues_}.first(rank_);
}

std::span<const double> SpectralSolver::residuals() const {
  return std::span{residuals_}.first(rank_);
}

Decomposition SpectralSolver::decomposition() const {
  return {.dim = dim_,
          .rank = rank_,
          .basis = std::span{basis_}.last(dim_ * rank_),
          .variances = std::span{variances_}.last(rank_),
          .whitening = std::span{whitening_}.last(rank_),
          .whitened = square(operator_),
          .eigenvalues = eigenvalues(),
          .left = square(left_),
          .right = square(right_)};
}

SpectralFeatures SpectralSolver::solve(const PairMoments& moments) {
  if (moments.dim != dim_) {
    throw internal_error("moments of dimension {} for a solver of {}", moments.dim, dim_);
  }
  rank_ = 0;
  SpectralFeatures features;
  features.status = find_basis(moments);
  if (features.has_spectrum()) {
    form_operator(moments);
    const SpectrumStatus modes = find_modes(features);
    if (modes == SpectrumStatus::ok) {
      measure_fit(moments.samples, features);
      measure_residuals(features);
      if (features.update < kIdentityUpdate) features.status = SpectrumStatus::identity;
    } else {
      rank_ = 0;
      features = {};
      features.status = modes;
    }
  }
  features.rank = rank_;
  features.samples = moments.samples;
  return features;
}

SpectrumStatus SpectralSolver::find_basis(const PairMoments& moments) {
  if (!moments.is_finite || !all_finite(moments.s) || !all_finite(moments.c) ||
      !all_finite(moments.t)) {
    return SpectrumStatus::non_finite;
  }
  if (moments.samples < 2) return SpectrumStatus::too_few_samples;
  std::copy(moments.s.begin(), moments.s.end(), basis_.begin());
  if (lapack::symmetric_eigen(dim_, basis_, variances_, workspace_) != lapack::Outcome::converged) {
    return SpectrumStatus::not_converged;
  }
  const double largest = variances_.back();
  if (!(largest > 0.0)) return SpectrumStatus::constant;
  const auto dim = static_cast<double>(dim_);
  epsilon_ = options_.epsilon;
  if (options_.regularisation == Regularisation::relative) {
    epsilon_ *= trace(moments.s, dim_) / dim;
  }
  // The weight of a direction is its eigenvalue of G. What rounding leaves of an empty direction is
  // dropped too, and N centered samples span N − 1 directions at most.
  const double weight = kSmallestWeight * largest / (largest + epsilon_);
  const double rounding = 8.0 * dim * std::numeric_limits<double>::epsilon() * largest;
  const auto most = static_cast<std::size_t>(
      std::min<std::int64_t>(moments.samples - 1, static_cast<std::int64_t>(dim_)));
  while (rank_ < most) {
    const double variance = variances_[dim_ - 1 - rank_];
    if (!(variance > rounding) || !(variance >= weight * (variance + epsilon_))) break;
    ++rank_;
  }
  for (std::size_t i = dim_ - rank_; i < dim_; ++i) {
    whitening_[i] = 1.0 / std::sqrt(variances_[i] + epsilon_);
  }
  return rank_ < dim_ ? SpectrumStatus::rank_deficient : SpectrumStatus::ok;
}

void SpectralSolver::form_operator(const PairMoments& moments) {
  const Decomposition d = decomposition();
  const std::size_t r = rank_;
  const auto rotate = [&](std::span<const double> row_major, std::span<double> out) {
    const auto half = std::span{scratch_}.first(dim_ * r);
    lapack::multiply({dim_, r, dim_}, {row_major, dim_, lapack::Op::transposed}, {d.basis, dim_},
                     half);
    lapack::multiply({r, r, dim_}, {d.basis, dim_, lapack::Op::transposed}, {half, dim_}, out);
    for (std::size_t j = 0; j < r; ++j) {
      for (std::size_t i = 0; i < r; ++i) out[i + j * r] *= d.whitening[i] * d.whitening[j];
    }
  };
  rotate(moments.c, square(cross_));
  rotate(moments.t, square(target_));
  for (std::size_t j = 0; j < r; ++j) {
    const double weight = d.variances[j] * d.whitening[j] * d.whitening[j];
    for (std::size_t i = 0; i < r; ++i) operator_[i + j * r] = cross_[i + j * r] / weight;
  }
}

SpectrumStatus SpectralSolver::find_modes(SpectralFeatures& features) {
  const std::size_t r = rank_;
  if (!all_finite(square(operator_))) return SpectrumStatus::non_finite;
  features.sigma_1 = largest_singular_value();
  std::copy_n(operator_.begin(), r * r, scratch_.begin());
  const lapack::GeneralEigen modes{std::span{real_}.first(r), std::span{imaginary_}.first(r),
                                   square(left_), square(right_)};
  if (lapack::general_eigen(r, square(scratch_), modes, workspace_) != lapack::Outcome::converged) {
    return SpectrumStatus::not_converged;
  }
  double squares = 0.0;
  for (std::size_t j = 0; j < r; ++j) {
    eigenvalues_[j] = {real_[j], imaginary_[j]};
    features.radius = std::max(features.radius, std::abs(eigenvalues_[j]));
    squares += std::norm(eigenvalues_[j]);
  }
  const auto a = square(operator_);
  const double frobenius = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
  features.henrici = root_of(frobenius - squares) / std::max(std::sqrt(frobenius), kTolerated);
  features.condition = condition_of_modes();
  return SpectrumStatus::ok;
}

double SpectralSolver::largest_singular_value() {
  std::copy_n(operator_.begin(), rank_ * rank_, scratch_.begin());
  const auto values = std::span{real_}.first(rank_);
  const auto outcome = lapack::singular_values(rank_, square(scratch_), values, workspace_);
  return outcome == lapack::Outcome::converged ? values[0] : 0.0;
}

double SpectralSolver::condition_of_modes() {
  // A pair's complex columns v, v̄ are √2 (Re v, Im v) times a unitary matrix.
  for (std::size_t j = 0; j < rank_; ++j) {
    const double scale = imaginary_[j] == 0.0 ? 1.0 : std::numbers::sqrt2;
    for (std::size_t i = 0; i < rank_; ++i) {
      scratch_[i + j * rank_] = scale * right_[i + j * rank_];
    }
  }
  const auto values = std::span{residuals_}.first(rank_);
  const auto outcome = lapack::singular_values(rank_, square(scratch_), values, workspace_);
  if (outcome != lapack::Outcome::converged) return kLargestCondition;
  const double smallest = values[rank_ - 1];
  return values[0] < kLargestCondition * smallest ? values[0] / smallest : kLargestCondition;
}

void SpectralSolver::measure_fit(std::int64_t samples, SpectralFeatures& features) const {
  const Decomposition d = decomposition();
  const std::size_t r = rank_;
  double explained = 0.0;  // tr(A G A^T)
  double weights = 0.0;    // tr G
  for (std::size_t j = 0; j < r; ++j) {
    const double weight = d.variances[j] * d.whitening[j] * d.whitening[j];
    weights += weight;
    const auto column = d.whitened.subspan(j * r, r);
    explained += weight * std::inner_product(column.begin(), column.end(), column.begin(), 0.0);
  }
  const double target = trace(target_, r);
  const double residual = std::max(target - explained, 0.0);
  const double step = root_of(target - 2.0 * trace(cross_, r) + weights);
  features.nonlinearity = std::sqrt(residual) / (step + kTolerated);
  features.update = step / std::sqrt(weights);
  features.noise_radius = noise_radius(residual, r, samples);
  features.is_noisy = features.noise_radius > kLargestNoise;
}

void SpectralSolver::measure_residuals(SpectralFeatures& features) {
  const Decomposition d = decomposition();
  const std::size_t r = rank_;
  lapack::multiply({r, r, r}, {square(target_), r}, {d.left, r}, square(scratch_));
  // With A = M G^+ the cross terms of ‖u^*(Ỹ − λ X̃)‖² come to −2|λ|² u^*Gu.
  const auto add_to = [&](std::size_t j, double& target, double& weight) {
    for (std::size_t i = 0; i < r; ++i) {
      const double u = d.left[i + j * r];
      target += u * scratch_[i + j * r];
      weight += u * u * d.variances[i] * d.whitening[i] * d.whitening[i];
    }
  };
  for (std::size_t j = 0; j < r;) {
    const std::size_t columns = imaginary_[j] == 0.0 ? 1 : 2;
    double target = 0.0;
    double weight = 0.0;
    for (std::size_t k = 0; k < columns; ++k) add_to(j + k, target, weight);
    const double square = target - std::norm(eigenvalues_[j]) * weight;
    const double residual = root_of(square) / (std::sqrt(weight) + kTolerated);
    std::fill_n(residuals_.begin() + static_cast<std::ptrdiff_t>(j), columns, residual);
    j += columns;
  }
  count_masses(eigenvalues(), residuals(), features);
}

}  // namespace ballast::monitor
