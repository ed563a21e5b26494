#include "monitor/spectral/kss.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "monitor/matrices.hpp"

namespace ballast::monitor {
namespace {

using namespace test;

constexpr std::size_t kDim = 7;
constexpr std::size_t kRows = 61;

struct Pairs {
  Matrix x, y;
};

/// Real and complex modes on both sides of every threshold.
Pairs random_pairs() {
  const Matrix basis = plus(random_orthogonal(kDim, 3), 0.2, normals(kDim, kDim, 4));
  const Matrix a =
      basis * with_eigenvalues({1.25, {0.9, 0.6}, 0.97, -1.02, {0.3, 0.5}}) * inverse(basis);
  const Matrix x =
      apply(plus(identity(kDim), 0.2, normals(kDim, kDim, 8)), normals(kRows, kDim, 5), 0.7);
  return {x, plus(apply(a, x, 1.0), 0.2, normals(kRows, kDim, 6))};
}

struct Evaluated {
  KssLoss loss;
  KssOperator gradient;
};

Evaluated evaluate(const Matrix& x, const Matrix& y, const KssOptions& options) {
  const PairMoments moments = moments_of(x, y);
  SpectralSolver solver{x.cols};
  static_cast<void>(solver.solve(moments));
  Evaluated evaluated{{}, KssOperator{x.cols}};
  evaluated.loss = KssGradient{x.cols}.evaluate(solver, moments, options, evaluated.gradient);
  return evaluated;
}

/// rows · a^T with a column-major.
Matrix apply_columns(std::span<const double> a, const Matrix& rows) {
  Matrix m{kDim, kDim};
  for (std::size_t i = 0; i < kDim; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) m(i, j) = a[i + j * kDim];
  }
  return apply(m, rows);
}

Pairs gradients_of(const Pairs& pairs, const KssOptions& options) {
  const Evaluated evaluated = evaluate(pairs.x, pairs.y, options);
  EXPECT_TRUE(evaluated.loss.has_gradient);
  EXPECT_EQ(evaluated.loss.skipped, 0u);
  const Matrix xc = centered(pairs.x), yc = centered(pairs.y);
  const auto y_from_x = std::as_const(evaluated.gradient).y_from_x();
  Matrix x_from_y{kDim, kDim};
  std::copy(y_from_x.begin(), y_from_x.end(), x_from_y.values.begin());  // row-major: transposed
  return {plus(apply_columns(evaluated.gradient.x_from_x(), xc), 1.0, apply(x_from_y, yc)),
          apply_columns(y_from_x, xc)};
}

/// By central differences in every element of `moved`, which is a part of `pairs`.
Matrix differences(Pairs& pairs, Matrix& moved, const KssOptions& options) {
  constexpr double kStep = 1e-5;
  Matrix slopes{moved.rows, moved.cols};
  for (std::size_t i = 0; i < moved.values.size(); ++i) {
    const double here = moved.values[i];
    moved.values[i] = here + kStep;
    const double above = evaluate(pairs.x, pairs.y, options).loss.loss;
    moved.values[i] = here - kStep;
    const double below = evaluate(pairs.x, pairs.y, options).loss.loss;
    moved.values[i] = here;
    slopes.values[i] = (above - below) / (2.0 * kStep);
  }
  return slopes;
}

TEST(Kss, GradientsAreThoseOfCentralDifferences) {
  for (const auto unstable : {UnstableTerm::mean, UnstableTerm::sum}) {
    const KssOptions options{.unstable = unstable, .weight = 3.0};
    Pairs pairs = random_pairs();
    const Pairs gradients = gradients_of(pairs, options);
    const Matrix by_y = differences(pairs, pairs.y, options);
    const Matrix by_x = differences(pairs, pairs.x, options);
    EXPECT_GT(frobenius(by_y), 1e-3);
    EXPECT_LT(frobenius(plus(gradients.y, -1.0, by_y)), 1e-6 * frobenius(by_y));
    EXPECT_LT(frobenius(plus(gradients.x, -1.0, by_x)), 1e-6 * frobenius(by_x));
  }
}

TEST(Kss, GradientsOfAllSamplesAddUpToZero) {
  // The loss does not see a shift of all x or of all y.
  const Pairs gradients = gradients_of(random_pairs(), {});
  for (const auto* gradient : {&gradients.x, &gradients.y}) {
    for (const double mean : means(*gradient)) {
      EXPECT_NEAR(mean * kRows, 0.0, 1e-14 + 1e-12 * frobenius(*gradient));
    }
  }
}

TEST(Kss, OfRowsIsThatOfTheMatrices) {
  constexpr std::size_t kMany = 256 + 41;
  const Matrix x = normals(kMany, kDim, 5);
  const Matrix y = plus(apply(normals(kDim, kDim, 9), x, 1.0), 0.3, normals(kMany, kDim, 6));
  const auto xs = as_floats(x), ys = as_floats(y);
  const std::vector<float> zeros(kDim), shift(kDim, 2.0f);
  PairMoments moments = moments_of(x, y);
  for (double& mean : moments.mean_y) mean -= 2.0;  // relative to the shift
  SpectralSolver solver{kDim};
  static_cast<void>(solver.solve(moments));
  KssGradient gradient{kDim};
  KssOperator slope{kDim};
  EXPECT_TRUE(gradient.evaluate(solver, moments, {}, slope).has_gradient);
  std::vector<float> by_x(kMany * kDim, 7.0f), by_y(kMany * kDim, 7.0f);
  const StreamRows from_x{{xs.data(), kMany, kDim, kDim}, zeros};
  gradient.differentiate_x(slope, from_x, {{ys.data(), kMany, kDim, kDim}, shift}, by_x);
  gradient.differentiate_y(slope, from_x, by_y);
  const Pairs expected = gradients_of({x, y}, {});
  Matrix difference = expected.x;
  for (std::size_t i = 0; i < by_x.size(); ++i) {
    difference.values[i] -= static_cast<double>(by_x[i]);
  }
  EXPECT_LT(frobenius(difference), 1e-5 * frobenius(expected.x));
  difference = expected.y;
  for (std::size_t i = 0; i < by_y.size(); ++i) {
    difference.values[i] -= static_cast<double>(by_y[i]);
  }
  EXPECT_LT(frobenius(difference), 1e-5 * frobenius(expected.y));
}

TEST(Kss, LossIsThatOfTheFormula) {
  // One expanding mode of four; a mode at 1 costs 0.120 in the paper's form.
  SpectralSolver solver{4};
  const PairMoments ones = moments_of_operator(with_eigenvalues({1.0, 1.0, 1.0, 1.0}));
  static_cast<void>(solver.solve(ones));
  KssGradient gradient{4};
  KssOperator slope{4};
  const double each = 0.12;
  EXPECT_NEAR(gradient.evaluate(solver, ones, {.unstable = UnstableTerm::sum}, slope).unstable,
              4 * each, 4e-3);
  EXPECT_NEAR(gradient.evaluate(solver, ones, {}, slope).unstable, each, 1e-3);

  const PairMoments spread = moments_of_operator(with_eigenvalues({2.0, 0.975, 0.1, 0.2}));
  static_cast<void>(solver.solve(spread));
  const KssLoss loss = gradient.evaluate(solver, spread, {.weight = 10.0}, slope);
  EXPECT_NEAR(loss.near_unit, 0.25 * std::pow(1.0 / (1.0 + std::exp(-1.5)), 2), 1e-6);
  EXPECT_NEAR(loss.loss, loss.unstable + 10.0 * std::pow(loss.near_unit - 0.4, 2), 1e-12);
}

TEST(Kss, ModesWithoutAUsableDerivativeAreSkipped) {
  SpectralSolver solver{4};
  KssGradient gradient{4};
  KssOperator slope{4};
  const auto skipped = [&](const Matrix& a, const KssOptions& options) {
    const PairMoments moments = moments_of_operator(a);
    static_cast<void>(solver.solve(moments));
    return gradient.evaluate(solver, moments, options, slope).skipped;
  };
  EXPECT_EQ(skipped(with_eigenvalues({1.2, 1.2005, 0.9, 0.5}), {}), 2u);
  EXPECT_EQ(skipped(with_eigenvalues({1.2, 1.21, 0.9, 0.0}), {}), 1u);
  EXPECT_EQ(skipped(with_eigenvalues({{0.9, 0.3}, 0.9, 0.5}), {}), 0u);
  Matrix sheared = with_eigenvalues({1.2, 1.3, 0.9, 0.5});
  sheared(0, 1) = 500.0;
  EXPECT_EQ(skipped(sheared, {}), 2u);
  EXPECT_EQ(skipped(sheared, {.largest_left = 1e5}), 0u);
}

TEST(Kss, ThereIsNoGradientWithoutAFullSpectrum) {
  const Matrix x = normals(5, kDim, 5);
  const Matrix y = apply(normals(kDim, kDim, 9), x);
  const Evaluated evaluated = evaluate(x, y, {});
  EXPECT_FALSE(evaluated.loss.has_gradient);
  EXPECT_GT(evaluated.loss.loss, 0.0);
  const auto xs = as_floats(x), ys = as_floats(y);
  const std::vector<float> shift(kDim);
  const StreamRows from_x{{xs.data(), 5, kDim, kDim}, shift};
  std::vector<float> by_x(5 * kDim, 7.0f), by_y(5 * kDim, 7.0f);
  KssGradient gradient{kDim};
  gradient.differentiate_x(evaluated.gradient, from_x, {{ys.data(), 5, kDim, kDim}, shift}, by_x);
  gradient.differentiate_y(evaluated.gradient, from_x, by_y);
  EXPECT_EQ(by_x, std::vector<float>(5 * kDim));
  EXPECT_EQ(by_y, std::vector<float>(5 * kDim));

  SpectralSolver solver{kDim};
  KssOperator slope{kDim};
  PairMoments moments = moments_of(x, y);
  moments.is_finite = false;
  static_cast<void>(solver.solve(moments));
  EXPECT_FALSE(gradient.evaluate(solver, moments, {}, slope).has_gradient);
}

}  // namespace
}  // namespace ballast::monitor
