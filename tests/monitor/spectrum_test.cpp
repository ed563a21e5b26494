#include "monitor/spectral/spectrum.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "base/error.hpp"
#include "monitor/known_spectrum.hpp"
#include "monitor/matrices.hpp"

namespace ballast::monitor {
namespace {

using namespace test;

TEST(Spectrum, OfAnAffineMapIsThatOfItsMatrix) {
  const Matrix x = normals(97, kKnownDim, 5);
  const Matrix a = known_operator();
  for (const double bias : {0.0, 3.0}) {
    SpectralSolver solver{kKnownDim};
    const SpectralFeatures features = solver.solve(moments_of(x, apply(a, x, bias)));
    EXPECT_EQ(features.status, SpectrumStatus::ok);
    EXPECT_EQ(features.rank, kKnownDim);
    EXPECT_EQ(features.samples, 97);
    EXPECT_LT(distance(solver.eigenvalues(), conjugates_added(kKnown)), 1e-10);
    EXPECT_DOUBLE_EQ(features.masses.expanding, 4.0 / 15);
    EXPECT_DOUBLE_EQ(features.masses.near_unit, 5.0 / 15);
    EXPECT_DOUBLE_EQ(features.masses.middle, 2.0 / 15);
    EXPECT_DOUBLE_EQ(features.masses.contracting, 4.0 / 15);
    EXPECT_NEAR(features.radius, 1.3, 1e-10);
    EXPECT_LT(features.residual_max, 1e-5);
    EXPECT_EQ(features.kept_share, 1.0);
    EXPECT_LT(features.noise_radius, 1e-6);
  }
}

TEST(Spectrum, DoesNotDependOnCoordinatesOrOnTheRegularisation) {
  const Matrix x = normals(97, kKnownDim, 5);
  const Matrix y =
      plus(apply(known_operator(), x), 0.3, normals(97, kKnownDim, 6));  // not exactly linear
  SpectralSolver reference{kKnownDim};
  static_cast<void>(reference.solve(moments_of(x, y)));
  const auto expected = copy_of(reference.eigenvalues());
  for (const double epsilon : {0.0, 1e-8, 1e-2, 0.1}) {
    SpectralSolver solver{kKnownDim, {Regularisation::absolute, epsilon}};
    static_cast<void>(solver.solve(moments_of(x, y)));
    EXPECT_LT(distance(solver.eigenvalues(), expected), 1e-11) << epsilon;
  }
  const Matrix b = plus(identity(kKnownDim), 0.1, normals(kKnownDim, kKnownDim, 7));
  static_cast<void>(reference.solve(moments_of(apply(b, x, 2.0), apply(b, y, -1.0))));
  EXPECT_LT(distance(reference.eigenvalues(), expected), 1e-10);
}

TEST(Spectrum, OfRotationsLiesOnTheUnitCircle) {
  std::vector<Complex> rotations;
  for (const double angle : {0.1, 0.7, 1.5, 2.2, 3.0}) rotations.push_back(std::polar(1.0, angle));
  const Matrix x = normals(64, 10, 8);
  SpectralSolver solver{10};
  const SpectralFeatures features =
      solver.solve(moments_of(x, apply(with_eigenvalues(rotations), x)));
  for (const auto& value : solver.eigenvalues()) EXPECT_NEAR(std::abs(value), 1.0, 1e-12);
  EXPECT_EQ(features.masses.near_unit, 1.0);
  EXPECT_EQ(features.status, SpectrumStatus::ok);
  const SpectralFeatures white = solver.solve(moments_of_operator(with_eigenvalues(rotations)));
  EXPECT_LT(white.henrici, 1e-6);
  EXPECT_NEAR(white.sigma_1, 1.0, 1e-12);
  EXPECT_NEAR(white.condition, 1.0, 1e-9);
}

TEST(Spectrum, OfABlockThatChangesNothingIsAnIdentity) {
  const Matrix x = normals(64, 9, 8);
  SpectralSolver solver{9};
  const SpectralFeatures features = solver.solve(moments_of(x, x));
  EXPECT_EQ(features.status, SpectrumStatus::identity);
  EXPECT_TRUE(features.has_spectrum());
  EXPECT_EQ(features.masses.near_unit, 1.0);
  EXPECT_LT(features.update, 1e-7);
  EXPECT_TRUE(std::isfinite(features.nonlinearity));

  const Matrix slightly = plus(x, 2e-3, normals(64, 9, 9));
  const SpectralFeatures changed = solver.solve(moments_of(x, slightly));
  EXPECT_EQ(changed.status, SpectrumStatus::ok);
  EXPECT_NEAR(changed.update, 2e-3, 5e-4);
}

TEST(Spectrum, OfAJordanBlockIsSurvived) {
  constexpr std::size_t kSize = 24;
  Matrix jordan{kSize, kSize};
  for (std::size_t i = 0; i < kSize; ++i) {
    jordan(i, i) = 0.95;
    if (i + 1 < kSize) jordan(i, i + 1) = 1.0;
  }
  const Matrix turn = random_orthogonal(kSize, 4);
  const std::vector<Matrix> forms{jordan, turn * jordan * transposed(turn)};
  for (const Matrix& form : forms) {
    SpectralSolver solver{kSize};
    const SpectralFeatures features = solver.solve(moments_of_operator(form));
    EXPECT_TRUE(features.has_spectrum());
    EXPECT_EQ(features.condition, 1e8);
    EXPECT_GT(features.sigma_1, 1.9);
    EXPECT_GT(features.henrici, 0.5);
    EXPECT_NEAR(sum_of(features.masses), 1.0, 1e-12);
    Complex sum = 0.0;
    for (const auto& value : solver.eigenvalues()) sum += value;
    EXPECT_NEAR(sum.real(), 0.95 * kSize, 1e-9);
    EXPECT_NEAR(sum.imag(), 0.0, 1e-9);
  }
}

TEST(Spectrum, OfMomentsThatAreNotFiniteIsNotSought) {
  SpectralSolver solver{3};
  PairMoments moments = moments_of_operator(identity(3));
  static_cast<void>(solver.solve(moments));
  EXPECT_EQ(solver.eigenvalues().size(), 3u);
  moments.is_finite = false;
  EXPECT_EQ(solver.solve(moments).status, SpectrumStatus::non_finite);
  EXPECT_TRUE(solver.eigenvalues().empty());
  for (auto* part : {&moments.s, &moments.c, &moments.t}) {
    moments = moments_of_operator(identity(3));
    (*part)[4] = std::numeric_limits<double>::quiet_NaN();
    const SpectralFeatures features = solver.solve(moments);
    EXPECT_EQ(features.status, SpectrumStatus::non_finite);
    EXPECT_FALSE(features.has_spectrum());
    EXPECT_EQ(features.rank, 0u);
    EXPECT_EQ(features.radius, 0.0);
  }
}

TEST(Spectrum, NeedsSamplesThatVary) {
  SpectralSolver solver{3};
  PairMoments moments = moments_of_operator(identity(3));
  moments.samples = 1;
  EXPECT_EQ(solver.solve(moments).status, SpectrumStatus::too_few_samples);
  moments.samples = 40;
  moments.s.assign(9, 0.0);
  EXPECT_EQ(solver.solve(moments).status, SpectrumStatus::constant);
  EXPECT_THROW(static_cast<void>(solver.solve(PairMoments{4})), Error);
}

// Theorem 1 of the paper, for a normal A and x uniform on the sphere.
TEST(Spectrum, BoundsTheEnergyThatANormalOperatorKeeps) {
  constexpr std::size_t kSize = 12;
  const std::vector<Complex> values{{0.8, 0.5}, {1.02, 0.0}, {0.95, 0.0}, {0.2, 0.3},
                                    {0.6, 0.0}, {0.91, 0.2}, {-1.0, 0.0}, {0.0, 0.85}};
  const Matrix turn = random_orthogonal(kSize, 60);
  const Matrix a = turn * with_eigenvalues(values) * transposed(turn);
  SpectralSolver solver{kSize};
  const SpectralFeatures features = solver.solve(moments_of_operator(a));
  EXPECT_LT(features.henrici, 1e-6);
  EXPECT_LE(features.radius, 1.05);

  double squares = 0.0;
  for (const auto& value : solver.eigenvalues()) squares += std::norm(value);
  double energy = 0.0;
  const Matrix x = normals(20000, kSize, 61);
  const Matrix y = apply(a, x);
  for (std::size_t i = 0; i < x.rows; ++i) {
    double before = 0.0;
    double after = 0.0;
    for (std::size_t j = 0; j < kSize; ++j) {
      before += x(i, j) * x(i, j);
      after += y(i, j) * y(i, j);
    }
    energy += after / before / static_cast<double>(x.rows);
  }
  EXPECT_NEAR(squares / kSize, frobenius(a) * frobenius(a) / kSize, 1e-12);
  EXPECT_NEAR(energy, squares / kSize, 0.01);
  EXPECT_GE(energy, 0.9 * 0.9 * features.masses.near_unit);
  EXPECT_LE(energy, 1.05 * 1.05);
}

}  // namespace
}  // namespace ballast::monitor
