#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "monitor/spectral/lapack.hpp"
#include "monitor/spectral/moments.hpp"
#include "monitor/spectral/spectral_features.hpp"

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
