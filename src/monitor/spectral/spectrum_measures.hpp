#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>

#include "monitor/spectral/spectral_features.hpp"

namespace ballast::monitor {

/// Scatter of eigenvalues beyond which more samples are needed.
inline constexpr double kLargestNoise = 0.05;

/// Masses, filtered masses, the share that the filter keeps, and the residuals' mean and maximum.
void count_masses(std::span<const std::complex<double>> eigenvalues,
                  std::span<const double> residuals, SpectralFeatures& features);

/// How far from their places noise scatters the eigenvalues of an operator of rank r fitted to N
/// whitened samples, by the circular law: √(residual / (N − 1 − r)), `residual` what the fit leaves
/// of tr H. For white noise of s times the spread of x that is s √(r / (N − r)). Infinite where N
/// leaves nothing to tell noise by.
[[nodiscard]] double noise_radius(double residual, std::size_t rank, std::int64_t samples);

}  // namespace ballast::monitor
