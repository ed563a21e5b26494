#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/gemm/gemm_factory.hpp"
#include "monitor/spectral/kss.hpp"
#include "monitor/spectral/moments.hpp"
#include "monitor/spectral/projection.hpp"
#include "monitor/spectral/spectrum.hpp"

#include "allocation/count_allocations.hpp"

namespace ballast::monitor {
namespace {

constexpr std::size_t kDim = 33;
constexpr std::size_t kRank = 9;
constexpr std::size_t kRows = 301;

std::vector<float> rows_of(std::size_t dim, double frequency) {
  std::vector<float> rows(kRows * dim);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<double>(i);
    rows[i] = static_cast<float>(std::sin(frequency * at * std::sqrt(at)));
  }
  return rows;
}

TEST(MonitorAllocation, MomentsSpectrumAndShapingAllocateNothing) {
  const MomentLayout layout{1, kRank, Streams::chained, 512};
  const auto x = rows_of(kRank, 0.37), y = rows_of(kRank, 0.71);
  const std::vector<float> shift(kRank, 0.1f);
  const std::vector<StreamRows> leaf{{{x.data(), kRows, kRank, kRank}, shift},
                                     {{y.data(), kRows, kRank, kRank}, shift}};
  LeafMoments leaf_moments{layout};
  std::vector<std::int32_t> exponents(layout.exponents(), kLowestExponent);
  std::vector<std::int64_t> words(layout.words());
  PairMoments moments{kRank};
  SpectralSolver solver{kRank};
  KssGradient shaping{kRank};
  KssOperator slope{kRank};
  std::vector<float> by_x(x.size()), by_y(y.size());

  const test::CountAllocations count;
  leaf_moments.raise_exponents(leaf, exponents);
  leaf_moments.add(leaf, exponents, words);
  read_moments(layout, exponents, words, 0, moments);
  const SpectralFeatures features = solver.solve(moments);
  const KssLoss loss = shaping.evaluate(solver, moments, {}, slope);
  shaping.differentiate_x(slope, leaf[0], leaf[1], by_x);
  shaping.differentiate_y(slope, leaf[0], by_y);
  if (count.own() != 0) count.print_first();
  EXPECT_EQ(count.own(), 0u);
  EXPECT_EQ(features.rank, kRank);
  EXPECT_TRUE(loss.has_gradient);
}

TEST(MonitorAllocation, SketchesAndBasesAllocateNothing) {
  const SketchLayout layout{1, kDim, kRank, 512};
  const auto rows = rows_of(kDim, 0.37);
  const std::vector<float> shift(kDim, 0.1f);
  const StreamRows x{{rows.data(), kRows, kDim, kDim}, shift};
  const auto gemm = kernels::make_gemm(kernels::GemmLibrary::openblas);
  BasisFinder finder{kDim, kRank};
  Projector projector{kDim, kRank};
  LeafSketch leaf{layout};
  Sketch sketch{kDim, kRank};
  std::vector<double> basis(kDim * kRank);
  std::vector<float> narrow(basis.size()), projected(kRows * kRank);
  std::vector<std::int32_t> exponents(layout.exponents(), kLowestExponent);
  std::vector<std::int64_t> words(layout.words());

  const test::CountAllocations count;
  finder.random_start(1, 0, basis);
  narrow_basis(basis, kDim, kRank, narrow);
  projector.project(*gemm, x, narrow, projected);
  leaf.raise_exponents(0, x, projected, exponents);
  leaf.add(0, x, projected, exponents, words);
  read_sketch(layout, exponents, words, 0, sketch);
  const Improvement improvement = finder.improve(sketch, basis);
  if (count.own() != 0) count.print_first();
  EXPECT_EQ(count.own(), 0u);
  EXPECT_EQ(improvement, Improvement::done);
}

}  // namespace
}  // namespace ballast::monitor
