#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "monitor/lapack.hpp"
#include "monitor/moments.hpp"

namespace ballast::monitor {

/// How the covariance that whitens is regularised: S + ε I.
enum class Regularisation {
  relative,  ///< ε = epsilon · tr(S) / m
  absolute,  ///< ε = epsilon, as in the paper
};

struct SpectralOptions {
  Regularisation regularisation = Regularisation::relative;
  double epsilon = 1e-5;
};

/// What became of a block's moments. From `ok` to `identity` there is a spectrum; beyond there is
/// none and the features are zero.
enum class SpectrumStatus {
  ok,
  rank_deficient,   ///< fewer directions than dimensions: a spectrum of those there are
  identity,         ///< the block changes next to nothing: leave it out of scores
  too_few_samples,  ///< fewer than two
  constant,         ///< x does not vary
  non_finite,       ///< samples with values that are not finite
  not_converged,    ///< LAPACK found no eigenvalues
};
[[nodiscard]] std::string_view name_of(SpectrumStatus status);

/// Shares of the eigenvalues by magnitude; they add up to 1. (The paper's spectral
/// masses with e_u = 0.05, e_n = 0.10, d_c = 0.20.)
struct SpectralMasses {
  double expanding = 0.0;    ///< |λ| > 1.05
  double near_unit = 0.0;    ///< 0.90 ≤ |λ| ≤ 1.05
  double middle = 0.0;       ///< the rest
  double contracting = 0.0;  ///< |λ| < 0.80
};

/// A block's spectrum in numbers. A is the whitened operator, x̃ and ỹ its whitened pairs, r its
/// rank.
struct SpectralFeatures {
  SpectrumStatus status = SpectrumStatus::ok;
  std::size_t rank = 0;      ///< r: the directions that are left of m
  std::int64_t samples = 0;  ///< N
  SpectralMasses masses;     ///< over all r eigenvalues
  SpectralMasses filtered;   ///< over the modes with residual ≤ 0.1; all, if those are < half
  double kept_share = 0.0;   ///< of modes with residual ≤ 0.1
  double radius = 0.0;       ///< ρ = max |λ|
  double sigma_1 = 0.0;      ///< largest singular value of A
  double henrici = 0.0;      ///< √(‖A‖_F² − Σ|λ|²) / ‖A‖_F: 0 for a normal A
  double condition = 0.0;    ///< κ(V), V of unit columns; at most 1e8
  double nonlinearity = 0.0;  ///< η = ‖Ỹ − A X̃‖ / ‖Ỹ − X̃‖; means nothing for an identity
  double update = 0.0;         ///< ‖Ỹ − X̃‖ / ‖X̃‖
  double residual_mean = 0.0;  ///< of the modes' ResDMD residuals
  double residual_max = 0.0;
  double noise_radius = 0.0;  ///< s √(r / (N − r)): how far noise alone scatters eigenvalues
  bool is_noisy = false;      ///< noise radius > 0.05: more samples are needed

  [[nodiscard]] bool has_spectrum() const { return status <= SpectrumStatus::identity; }
};

/// The operator behind the features, in the basis of the covariance's eigenvectors, restricted to
/// the r directions that are there. Matrices are column-major.
struct Decomposition {
  std::size_t dim = 0;                                ///< m
  std::size_t rank = 0;                               ///< r
  std::span<const double> basis;                      ///< [m, r]: eigenvectors of S
  std::span<const double> variances;                  ///< [r]: eigenvalues of S
  std::span<const double> whitening;                  ///< [r]: 1 / √(variance + ε)
  std::span<const double> whitened;                   ///< [r, r]: A
  std::span<const std::complex<double>> eigenvalues;  ///< [r]
  std::span<const double> left, right;  ///< [r, r]: packed as lapack::GeneralEigen says
};

/// Residual Koopman Spectral Profiling of one block: dynamic mode decomposition of x → y, whitened
/// (Kim, Taniguchi, Kawano, Iwasawa and Matsuo 2026, arXiv:2602.22988,
/// Algorithm 1), from second-order moments alone (Appendix B.2): with W = (S + ε I)^-½,
/// M = W C W, G = W S W and H = W T W, the operator is A = M G^+. Residuals of modes follow ResDMD
/// (Colbrook and Townsend 2024) with left eigenvectors. Not from the paper: the relative ε, σ_1,
/// Henrici's departure from normality, the noise radius and the statuses.
///
/// Reserves its room when it is made; solve allocates nothing.
class SpectralSolver {
 public:
  explicit SpectralSolver(std::size_t dim, SpectralOptions options = {});

  /// Throws an internal Error if the moments are of another dimension.
  [[nodiscard]] SpectralFeatures solve(const PairMoments& moments);

  /// Of the last solve, valid until the next; empty unless it had a spectrum.
  [[nodiscard]] std::span<const std::complex<double>> eigenvalues() const;
  /// ResDMD residuals of the modes, in the order of the eigenvalues.
  [[nodiscard]] std::span<const double> residuals() const;
  [[nodiscard]] Decomposition decomposition() const;

 private:
  [[nodiscard]] SpectrumStatus find_basis(const PairMoments& moments);
  void form_operator(const PairMoments& moments);
  [[nodiscard]] SpectrumStatus find_modes(SpectralFeatures& features);
  void measure_fit(std::int64_t samples, SpectralFeatures& features) const;
  void measure_residuals(SpectralFeatures& features);
  [[nodiscard]] double largest_singular_value();
  [[nodiscard]] double condition_of_modes();

  [[nodiscard]] std::span<double> square(std::vector<double>& values) const;
  [[nodiscard]] std::span<const double> square(const std::vector<double>& values) const;

  std::size_t dim_;
  SpectralOptions options_;
  lapack::Workspace workspace_;
  std::size_t rank_ = 0;
  double epsilon_ = 0.0;
  std::vector<double> basis_, variances_, whitening_;
  std::vector<double> cross_, target_, operator_;  // M, H, A
  std::vector<double> left_, right_, scratch_;
  std::vector<double> real_, imaginary_, residuals_;
  std::vector<std::complex<double>> eigenvalues_;
};

}  // namespace ballast::monitor
