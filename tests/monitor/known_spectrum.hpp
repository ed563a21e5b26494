#pragma once

#include <algorithm>
#include <complex>
#include <limits>
#include <span>
#include <vector>

#include "monitor/matrices.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace ballast::monitor::test {

using Complex = std::complex<double>;

/// Four expanding, five near one, two between, four contracting: fifteen, at least .01 off the
/// edges.
inline const std::vector<Complex> kKnown{{1.3, 0.0},  {0.9, 0.9},  {-1.1, 0.0}, {0.7, 0.7},
                                         {0.97, 0.0}, {0.6, 0.76}, {0.85, 0.0}, {-0.82, 0.0},
                                         {0.3, 0.4},  {0.1, 0.0},  {-0.5, 0.0}};
inline constexpr std::size_t kKnownDim = 15;

/// Similar to a block-diagonal matrix of the known eigenvalues, and not normal.
inline Matrix known_operator(std::uint32_t stream = 3) {
  const Matrix basis =
      plus(random_orthogonal(kKnownDim, stream), 0.2, normals(kKnownDim, kKnownDim, stream + 1));
  return basis * with_eigenvalues(kKnown) * inverse(basis);
}

inline std::vector<Complex> conjugates_added(const std::vector<Complex>& values) {
  std::vector<Complex> all;
  for (const auto& value : values) {
    all.push_back(value);
    if (value.imag() != 0.0) all.push_back(std::conj(value));
  }
  return all;
}

/// The largest distance from an expected eigenvalue to the nearest one found.
inline double distance(std::span<const Complex> found, const std::vector<Complex>& expected) {
  double largest = 0.0;
  for (const auto& value : expected) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const auto& other : found) nearest = std::min(nearest, std::abs(other - value));
    largest = std::max(largest, nearest);
  }
  return found.size() == expected.size() ? largest : std::numeric_limits<double>::infinity();
}

inline std::vector<Complex> copy_of(std::span<const Complex> values) {
  return {values.begin(), values.end()};
}

inline double sum_of(const SpectralMasses& masses) {
  return masses.expanding + masses.near_unit + masses.middle + masses.contracting;
}

}  // namespace ballast::monitor::test
