#include "monitor/spectral/projection.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "monitor/matrices.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace ballast::monitor {
namespace {

using namespace test;

constexpr std::size_t kDim = 45;
constexpr std::size_t kRank = 7;
constexpr std::size_t kRows = 601;

const kernels::Gemm& gemm() {
  static const auto library = kernels::make_gemm(kernels::GemmLibrary::openblas);
  return *library;
}

/// Rows whose standard deviation along the columns of `turn` is `deviation(k)`, off their mean.
template <class Deviation>
Matrix rows_with(const Matrix& turn, std::size_t rows, Deviation deviation, double mean = 0.0) {
  Matrix x = normals(rows, turn.rows, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < x.cols; ++k) x(i, k) *= deviation(k);
  }
  return apply(turn, x, mean);
}

double falling(std::size_t k) { return std::pow(0.7, static_cast<double>(k)) + 1e-3; }

/// Columns of a column-major basis [d, m] as a matrix.
Matrix columns_of(std::span<const double> basis, std::size_t dim) {
  Matrix q{dim, basis.size() / dim};
  for (std::size_t j = 0; j < q.cols; ++j) {
    for (std::size_t i = 0; i < dim; ++i) q(i, j) = basis[i + j * dim];
  }
  return q;
}

/// One layer's probe: leaves of the rows, each in a buffer of its own, and what they add up to.
struct Probe {
  std::vector<float> rows;
  std::vector<float> shift;
  std::size_t dim, rank;

  [[nodiscard]] Sketch sketch(std::span<const double> basis,
                              const std::vector<std::size_t>& cuts) const {
    const SketchLayout layout{2, dim, rank, 2048};
    std::vector<float> narrow(dim * rank);
    narrow_basis(basis, dim, rank, narrow);
    Projector projector{dim, rank};
    LeafSketch leaf{layout};
    std::vector<std::int32_t> exponents(layout.exponents(), kLowestExponent);
    std::vector<std::int64_t> words(layout.words());
    std::vector<std::vector<float>> projected(cuts.size() - 1);
    const auto rows_at = [&](std::size_t i) {
      return StreamRows{{rows.data() + cuts[i] * dim, cuts[i + 1] - cuts[i], dim, dim}, shift};
    };
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      projected[i].resize((cuts[i + 1] - cuts[i]) * rank);
      projector.project(gemm(), rows_at(i), narrow, projected[i]);
      leaf.raise_exponents(1, rows_at(i), projected[i], exponents);
    }
    for (std::size_t i = cuts.size() - 1; i-- > 0;) {
      leaf.add(1, rows_at(i), projected[i], exponents, words);
    }
    Sketch sketch{dim, rank};
    read_sketch(layout, exponents, words, 1, sketch);
    return sketch;
  }
};

Probe probe_of(const Matrix& x, std::size_t rank) {
  return {as_floats(x), std::vector<float>(x.cols, 0.5f), x.cols, rank};
}

std::vector<double> started(BasisFinder& finder, std::size_t dim, std::size_t rank) {
  std::vector<double> basis(dim * rank);
  finder.random_start(3, 1, basis);
  return basis;
}

TEST(Projection, OfRowsIsTheirProductWithTheBasis) {
  const Matrix x = rows_with(random_orthogonal(kDim, 1), kRows, falling, 20.0);
  BasisFinder finder{kDim, kRank};
  const auto basis = started(finder, kDim, kRank);
  std::vector<float> shift = as_floats(Matrix{1, kDim});
  const auto mean = means(x);
  std::copy(mean.begin(), mean.end(), shift.begin());
  std::vector<float> narrow(kDim * kRank), out(kRows * kRank);
  narrow_basis(basis, kDim, kRank, narrow);
  const auto rows = as_floats(x);
  Projector projector{kDim, kRank};
  projector.project(gemm(), {{rows.data(), kRows, kDim, kDim}, shift}, narrow, out);
  const Matrix expected = centered(x) * columns_of(basis, kDim);
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(out[i]), expected.values[i], 2e-4);  // rows rounded at 900
  }
}

TEST(Projection, StartsAreOrthonormalAndOfTheirSeedAndLayer) {
  BasisFinder finder{kDim, kRank};
  std::vector<double> basis(kDim * kRank), again(basis), other(basis);
  finder.random_start(3, 1, basis);
  finder.random_start(3, 1, again);
  EXPECT_EQ(basis, again);
  finder.random_start(3, 2, other);
  EXPECT_NE(basis, other);
  finder.random_start(4, 1, other);
  EXPECT_NE(basis, other);
  const Matrix q = columns_of(basis, kDim);
  EXPECT_LT(frobenius(plus(transposed(q) * q, -1.0, identity(kRank))), 1e-13);
}

TEST(Projection, ASketchIsTheCovarianceTimesTheBasis) {
  const Matrix x = rows_with(random_orthogonal(kDim, 1), kRows, falling, 0.3);
  BasisFinder finder{kDim, kRank};
  const auto basis = started(finder, kDim, kRank);
  const Sketch sketch = probe_of(x, kRank).sketch(basis, {0, 100, kRows});
  const PairMoments moments = moments_of(x, x);
  Matrix s{kDim, kDim};
  s.values = moments.s;
  const Matrix expected = s * columns_of(basis, kDim);
  EXPECT_EQ(sketch.samples, static_cast<std::int64_t>(kRows));
  EXPECT_LT(frobenius(plus(columns_of(sketch.z, kDim), -1.0, expected)),
            1e-5 * frobenius(expected));
  double variance = 0.0;
  for (std::size_t i = 0; i < kDim; ++i) variance += s(i, i);
  EXPECT_NEAR(sketch.variance, variance, 1e-5 * variance);
}

TEST(Projection, ShardsOfLeavesGiveEqualSketches) {
  const Matrix x = rows_with(random_orthogonal(kDim, 1), kRows, falling, 0.3);
  const SketchLayout layout{1, kDim, kRank, 1024};
  BasisFinder finder{kDim, kRank};
  const auto basis = started(finder, kDim, kRank);
  std::vector<float> narrow(kDim * kRank);
  narrow_basis(basis, kDim, kRank, narrow);
  const auto rows = as_floats(x);
  const std::vector<float> shift(kDim, 0.1f);
  const std::vector<std::size_t> cuts{0, 13, 13, 300, 301, 500, kRows};
  LeafSketch leaf{layout};
  Projector projector{kDim, kRank};
  std::vector<std::int32_t> exponents(layout.exponents(), kLowestExponent);
  std::vector<std::int64_t> one;
  for (const std::size_t buffers : {1u, 2u, 3u, 8u}) {
    std::vector<std::vector<std::int64_t>> words(buffers,
                                                 std::vector<std::int64_t>(layout.words()));
    for (const bool is_first : {true, false}) {
      for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
        const StreamRows x_rows{{rows.data() + cuts[i] * kDim, cuts[i + 1] - cuts[i], kDim, kDim},
                                shift};
        std::vector<float> projected(x_rows.rows.rows * kRank);
        projector.project(gemm(), x_rows, narrow, projected);
        if (is_first) {
          leaf.raise_exponents(0, x_rows, projected, exponents);
        } else {
          leaf.add(0, x_rows, projected, exponents, words[i % buffers]);
        }
      }
    }
    for (std::size_t b = 1; b < buffers; ++b) {
      for (std::size_t i = 0; i < layout.words(); ++i) words[0][i] += words[b][i];
    }
    if (buffers == 1) one = words[0];
    EXPECT_EQ(words[0], one) << buffers;
  }
}

TEST(Projection, PowerStepsFindThePrincipalComponentsInTheirOrder) {
  const Matrix turn = random_orthogonal(kDim, 1);
  const Matrix x = rows_with(turn, kRows, falling, 0.3);
  const Probe probe = probe_of(x, kRank);
  BasisFinder finder{kDim, kRank};
  auto basis = started(finder, kDim, kRank);
  Sketch sketch{kDim, kRank};
  for (int step = 0; step < 30; ++step) {
    sketch = probe.sketch(basis, {0, kRows});
    EXPECT_EQ(finder.improve(sketch, basis), Improvement::done);
  }
  const Matrix q = columns_of(basis, kDim);
  EXPECT_LT(frobenius(plus(transposed(q) * q, -1.0, identity(kRank))), 1e-12);
  // S q = variance q for each column, and variances fall.
  Matrix s{kDim, kDim};
  s.values = moments_of(x, x).s;
  const Matrix sq = s * q;
  for (std::size_t j = 0; j < kRank - 1; ++j) {
    const double variance = finder.variances()[j];
    for (std::size_t i = 0; i < kDim; ++i) EXPECT_NEAR(sq(i, j), variance * q(i, j), 1e-4) << j;
    EXPECT_GT(variance, finder.variances()[j + 1]);
  }
  double seen = 0.0;
  for (const double variance : finder.variances()) seen += variance;
  EXPECT_GT(seen / sketch.variance, 0.98);
  EXPECT_LE(seen / sketch.variance, 1.0);
}

TEST(Projection, SketchesOfNoUseLeaveTheBasisAlone) {
  BasisFinder finder{kDim, kRank};
  auto basis = started(finder, kDim, kRank);
  const auto before = basis;
  Matrix x = rows_with(random_orthogonal(kDim, 1), 20, falling, 0.3);
  EXPECT_EQ(finder.improve(probe_of(x, kRank).sketch(basis, {0, 1}), basis),
            Improvement::too_few_samples);
  x(11, 3) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(finder.improve(probe_of(x, kRank).sketch(basis, {0, 10, 20}), basis),
            Improvement::non_finite);
  EXPECT_EQ(finder.improve(
                probe_of(plus(Matrix{5, kDim}, 0.0, Matrix{5, kDim}), kRank).sketch(basis, {0, 5}),
                basis),
            Improvement::constant);
  EXPECT_EQ(basis, before);
  EXPECT_THROW((BasisFinder{4, 5}), Error);
}

/// The near-unit mass seen through the first `rank` columns of `basis`.
double near_unit_seen(const Matrix& x, const Matrix& y, const Matrix& basis) {
  SpectralSolver solver{basis.cols};
  return solver.solve(moments_of(x * basis, y * basis)).masses.near_unit;
}

// Half of the modes are near the unit circle.
TEST(Projection, PrincipalComponentsShowTheSpectrumThatRandomOnesHide) {
  constexpr std::size_t kWide = 128;
  constexpr std::size_t kSeen = 32;
  constexpr std::size_t kMany = 1024;
  const Matrix turn = random_orthogonal(kWide, 1);
  Matrix modes{kWide, kWide};
  for (std::size_t k = 0; k < kWide; ++k) modes(k, k) = k % 2 == 0 ? 0.97 : 0.5;
  const Matrix a = turn * modes * transposed(turn);
  BasisFinder finder{kWide, kSeen};
  const auto start = started(finder, kWide, kSeen);

  const auto seen_with = [&](const Matrix& x, int steps) {
    const Probe probe = probe_of(x, kSeen);
    auto basis = start;
    for (int step = 0; step < steps; ++step) {
      EXPECT_EQ(finder.improve(probe.sketch(basis, {0, kMany}), basis), Improvement::done);
    }
    return near_unit_seen(x, apply(a, x), columns_of(basis, kWide));
  };
  const Matrix decaying = rows_with(
      turn, kMany, [](std::size_t k) { return std::pow(static_cast<double>(k + 1), -0.5); });
  EXPECT_NEAR(seen_with(decaying, 12), 0.5, 0.1);
  EXPECT_LE(seen_with(decaying, 0), 0.25);
  const Matrix isotropic = rows_with(turn, kMany, [](std::size_t) { return 1.0; });
  EXPECT_LE(seen_with(isotropic, 3), 0.1);  // no basis of 32 columns can show it
}

}  // namespace
}  // namespace ballast::monitor
