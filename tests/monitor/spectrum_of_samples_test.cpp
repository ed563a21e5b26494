#include <algorithm>
#include <gtest/gtest.h>

#include "monitor/known_spectrum.hpp"
#include "monitor/matrices.hpp"
#include "monitor/shards.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace ballast::monitor {
namespace {

using namespace test;

// Noise scatters one eigenvalue over a disc.
TEST(SpectrumOfSamples, NoiseScattersEigenvaluesOverADiscOfTheNoiseRadius) {
  constexpr std::size_t kSize = 64;
  SpectralSolver solver{kSize};
  double last_mass = 0.0;
  for (const std::size_t per_dimension : {2u, 4u, 8u, 32u}) {
    const std::size_t rows = per_dimension * kSize;
    const Matrix x = normals(rows, kSize, 30);
    const Matrix y = plus(apply(with_eigenvalues(std::vector<Complex>(kSize, 0.95)), x), 1.0,
                          normals(rows, kSize, 31));
    const SpectralFeatures features = solver.solve(moments_of(x, y));
    const double law = std::sqrt(static_cast<double>(kSize) / static_cast<double>(rows - kSize));
    EXPECT_NEAR(features.noise_radius / law, 1.0, 0.1) << per_dimension;
    EXPECT_TRUE(features.is_noisy);
    double farthest = 0.0;
    for (const auto& value : solver.eigenvalues()) {
      farthest = std::max(farthest, std::abs(value - 0.95));
    }
    EXPECT_NEAR(farthest / features.noise_radius, 1.0, 0.25) << per_dimension;
    EXPECT_GE(features.masses.near_unit, last_mass);
    EXPECT_LT(features.masses.near_unit, 0.65);
    EXPECT_EQ(features.kept_share, 0.0);
    EXPECT_EQ(features.filtered.near_unit, features.masses.near_unit);
    last_mass = features.masses.near_unit;
  }
}

TEST(SpectrumOfSamples, IsNotNoisyWithEnoughSamples) {
  SpectralSolver solver{8};
  const Matrix a = with_eigenvalues(std::vector<Complex>(8, 0.95));
  EXPECT_FALSE(solver.solve(moments_of_operator(a, 0.5, 8 * 200)).is_noisy);
  EXPECT_TRUE(solver.solve(moments_of_operator(a, 0.5, 8 * 50)).is_noisy);
}

/// (S + ε I)^-½ in the coordinates of the rows.
Matrix whitening_of(const Decomposition& d) {
  Matrix w{d.dim, d.dim};
  for (std::size_t k = 0; k < d.rank; ++k) {
    for (std::size_t i = 0; i < d.dim; ++i) {
      for (std::size_t j = 0; j < d.dim; ++j) {
        w(i, j) += d.whitening[k] * d.basis[i + k * d.dim] * d.basis[j + k * d.dim];
      }
    }
  }
  return w;
}

/// Left eigenvector of mode j in the coordinates of the rows.
std::vector<Complex> left_of(const Decomposition& d, std::size_t j) {
  const double imaginary = d.eigenvalues[j].imag();
  const std::size_t first = imaginary < 0.0 ? j - 1 : j;
  std::vector<Complex> u(d.dim);
  for (std::size_t i = 0; i < d.dim; ++i) {
    for (std::size_t k = 0; k < d.rank; ++k) {
      const double re = d.left[k + first * d.rank];
      const double im = imaginary == 0.0 ? 0.0 : d.left[k + (first + 1) * d.rank];
      u[i] += d.basis[i + k * d.dim] * Complex{re, imaginary < 0.0 ? -im : im};
    }
  }
  return u;
}

/// ‖u^* rows^T‖
double length_of(const std::vector<Complex>& u, const std::vector<Complex>& rows) {
  double squares = 0.0;
  for (std::size_t i = 0; i < rows.size() / u.size(); ++i) {
    Complex dot = 0.0;
    for (std::size_t k = 0; k < u.size(); ++k) dot += std::conj(u[k]) * rows[i * u.size() + k];
    squares += std::norm(dot);
  }
  return std::sqrt(squares);
}

TEST(SpectrumOfSamples, FeaturesFromMomentsAreThoseOfTheRows) {
  const Matrix x = apply(plus(identity(kKnownDim), 0.4, normals(kKnownDim, kKnownDim, 50)),
                         normals(203, kKnownDim, 51));
  const Matrix y = plus(apply(known_operator(), x, 1.0), 0.2, normals(203, kKnownDim, 52));
  SpectralSolver solver{kKnownDim, {Regularisation::relative, 1e-3}};
  const SpectralFeatures features = solver.solve(moments_of(x, y));
  const Decomposition d = solver.decomposition();

  const Matrix w = whitening_of(d);
  const Matrix xt = centered(x) * w;
  const Matrix yt = centered(y) * w;
  const Matrix a = transposed(yt) * xt * inverse(transposed(xt) * xt);
  const Matrix misfit = plus(yt, -1.0, apply(a, xt));
  const Matrix change = plus(yt, -1.0, xt);
  EXPECT_NEAR(features.nonlinearity, frobenius(misfit) / frobenius(change), 1e-8);
  EXPECT_NEAR(features.update, frobenius(change) / frobenius(xt), 1e-8);
  for (std::size_t j = 0; j < kKnownDim; ++j) {
    const auto u = left_of(d, j);
    const Complex value = solver.eigenvalues()[j];
    std::vector<Complex> defects, weights;
    for (std::size_t i = 0; i < xt.values.size(); ++i) {
      defects.push_back(yt.values[i] - value * xt.values[i]);
      weights.push_back(xt.values[i]);
    }
    EXPECT_NEAR(solver.residuals()[j], length_of(u, defects) / length_of(u, weights), 1e-8) << j;
  }
}

TEST(SpectrumOfSamples, ModesWithLargeResidualsAreFilteredOut) {
  // Three of eight modes are noisy, and those are the expanding ones.
  Matrix a = with_eigenvalues({1.2, 1.3, 1.4, 0.95, 0.96, 0.97, 0.5, 0.6});
  PairMoments moments = moments_of_operator(a);
  for (std::size_t i = 0; i < 3; ++i) moments.t[i * 8 + i] += 0.25;
  SpectralSolver solver{8};
  const SpectralFeatures features = solver.solve(moments);
  EXPECT_DOUBLE_EQ(features.kept_share, 5.0 / 8);
  EXPECT_DOUBLE_EQ(features.masses.expanding, 3.0 / 8);
  EXPECT_DOUBLE_EQ(features.filtered.expanding, 0.0);
  EXPECT_DOUBLE_EQ(features.filtered.near_unit, 3.0 / 5);
  EXPECT_NEAR(features.residual_max, 0.5, 1e-4);

  for (std::size_t i = 3; i < 5; ++i) moments.t[i * 8 + i] += 0.25;
  const SpectralFeatures fallen_back = solver.solve(moments);
  EXPECT_DOUBLE_EQ(fallen_back.kept_share, 3.0 / 8);
  EXPECT_DOUBLE_EQ(fallen_back.filtered.expanding, 3.0 / 8);
}

// Single-precision rows far from zero, with a shift near their mean and through fixed point.
TEST(SpectrumOfSamples, FarFromZeroSurvivesInSinglePrecisionRows) {
  constexpr std::size_t kRows = 501;
  const Matrix x = normals(kRows, kKnownDim, 5);
  Sampled sampled{kRows, kKnownDim, {as_floats(x)}, {}};
  sampled.streams.push_back(as_floats(apply(known_operator(), x)));
  for (auto& stream : sampled.streams) {
    for (float& value : stream) value += 300.0f;
  }
  std::vector<std::vector<float>> rounded = sampled.streams;
  for (auto& stream : rounded) {
    for (float& value : stream) value -= 300.0f;  // exact
  }
  const MomentLayout layout{1, kKnownDim, Streams::chained, 512};
  const auto eigenvalues = [&](float shift, const std::vector<std::vector<float>>& streams) {
    sampled.streams = streams;
    sampled.shifts.assign(2, std::vector<float>(kKnownDim, shift));
    SpectralSolver solver{kKnownDim};
    static_cast<void>(solver.solve(moments_from(layout, sum_of_one_leaf(layout, sampled), 0)));
    return copy_of(solver.eigenvalues());
  };
  const auto far = sampled.streams;
  const auto expected = eigenvalues(0.0f, rounded);
  EXPECT_LT(distance(expected, conjugates_added(kKnown)), 1e-3);  // rows are rounded at 300
  EXPECT_LT(distance(eigenvalues(300.0f, far), expected), 1e-12);
  EXPECT_LT(distance(eigenvalues(299.0f, far), expected), 1e-10);
}

TEST(SpectrumOfSamples, OfFewSamplesIsReducedToTheirRank) {
  const Matrix a = known_operator();
  const Matrix x = normals(9, kKnownDim, 5);
  SpectralSolver solver{kKnownDim};
  const SpectralFeatures features = solver.solve(moments_of(x, apply(a, x)));
  EXPECT_EQ(features.status, SpectrumStatus::rank_deficient);
  EXPECT_EQ(features.rank, 8u);
  EXPECT_EQ(solver.eigenvalues().size(), 8u);
  EXPECT_NEAR(sum_of(features.masses), 1.0, 1e-12);
  EXPECT_TRUE(features.is_noisy);

  // The eigenvalues other than zero of the pseudo-inverse form Y X^+ (X^T X is N × N).
  const Matrix xc = centered(x), yc = centered(apply(a, x));
  const Matrix gram = xc * transposed(xc);
  const Matrix ones = plus(Matrix{9, 9}, 1.0, Matrix{9, 9});
  Matrix regular = plus(gram, 1.0, ones);
  for (double& value : regular.values) value += 1.0;  // centring's null vector filled in
  const Matrix small = inverse(regular) * (yc * transposed(xc));
  Complex expected_trace = 0.0;
  for (std::size_t i = 0; i < 9; ++i) expected_trace += small(i, i);
  Complex sum = 0.0;
  for (const auto& value : solver.eigenvalues()) sum += value;
  EXPECT_NEAR(std::abs(sum - expected_trace), 0.0, 1e-9);
}

TEST(SpectrumOfSamples, OfRowsInASubspaceIsThatOfTheSubspace) {
  // Coordinates 5 to 8 repeat others: four directions are empty.
  const Matrix x = normals(101, 5, 5);
  const Matrix a = with_eigenvalues({1.2, 0.95, {0.3, 0.4}, 0.1});
  Matrix spread{9, 5};
  for (std::size_t i = 0; i < 9; ++i) spread(i, i % 5) = 1.0;
  SpectralSolver solver{9};
  const SpectralFeatures features =
      solver.solve(moments_of(apply(spread, x), apply(spread, apply(a, x))));
  EXPECT_EQ(features.status, SpectrumStatus::rank_deficient);
  EXPECT_EQ(features.rank, 5u);
  EXPECT_LT(distance(solver.eigenvalues(), {1.2, 0.95, {0.3, 0.4}, {0.3, -0.4}, 0.1}), 1e-10);
  EXPECT_DOUBLE_EQ(features.masses.near_unit, 0.2);
}

}  // namespace
}  // namespace ballast::monitor
