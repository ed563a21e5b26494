#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ballast::monitor {

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

}  // namespace ballast::monitor
