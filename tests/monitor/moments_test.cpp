#include "monitor/spectral/moments.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "base/error.hpp"
#include "monitor/matrices.hpp"
#include "monitor/shards.hpp"

namespace ballast::monitor {
namespace {

using namespace test;

constexpr std::size_t kDim = 7;
constexpr std::size_t kRows = 301;

/// Three streams: a random one, and each a linear map of the one before and noise, with coordinates
/// of very different sizes.
Sampled random_streams(std::size_t rows, std::size_t dim, std::size_t streams = 3,
                       double mean = 0.5) {
  Sampled sampled{rows, dim, {}, {}};
  Matrix x = normals(rows, dim, 1);
  for (std::size_t s = 0; s < streams; ++s) {
    Matrix scaled = x;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < dim; ++j) {
        scaled(i, j) = std::ldexp(x(i, j) + mean, 2 * static_cast<int>(j) - 6);
      }
    }
    sampled.streams.push_back(as_floats(scaled));
    sampled.shifts.push_back(std::vector<float>(dim, 0.25f));
    x = plus(apply(normals(dim, dim, 10 + static_cast<std::uint32_t>(s)), x), 0.5,
             normals(rows, dim, 20 + static_cast<std::uint32_t>(s)));
  }
  return sampled;
}

Matrix as_matrix(const std::vector<float>& values, std::size_t cols) {
  Matrix a{values.size() / cols, cols};
  a.values.assign(values.begin(), values.end());
  return a;
}

/// |actual − expected| as a share of what the two coordinates' spread allows.
void expect_near(const std::vector<double>& actual, const std::vector<double>& expected,
                 const std::vector<double>& rows_spread, const std::vector<double>& cols_spread,
                 double bound) {
  for (std::size_t i = 0; i < kDim; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) {
      const std::size_t at = i * kDim + j;
      const double scale = std::sqrt(rows_spread[i * kDim + i] * cols_spread[j * kDim + j]);
      EXPECT_NEAR(actual[at], expected[at], bound * scale) << i << ", " << j;
    }
  }
}

std::vector<std::vector<Leaf>> dealt(const std::vector<Leaf>& leaves, std::size_t buffers) {
  std::vector<std::vector<Leaf>> of(buffers);
  for (std::size_t i = 0; i < leaves.size(); ++i) of[i % buffers].push_back(leaves[i]);
  return of;
}

TEST(Moments, AreThoseOfTheDefinition) {
  const Sampled sampled = random_streams(kRows, kDim);
  const MomentLayout layout{2, kDim, Streams::chained, 512};
  const Totals totals = sum_of_one_leaf(layout, sampled);
  for (std::size_t block = 0; block < 2; ++block) {
    const PairMoments actual = moments_from(layout, totals, block);
    const PairMoments expected = moments_of(as_matrix(sampled.streams[block], kDim),
                                            as_matrix(sampled.streams[block + 1], kDim));
    EXPECT_EQ(actual.samples, static_cast<std::int64_t>(kRows));
    EXPECT_TRUE(actual.is_finite);
    expect_near(actual.s, expected.s, expected.s, expected.s, 1e-13);
    expect_near(actual.c, expected.c, expected.t, expected.s, 1e-13);
    expect_near(actual.t, expected.t, expected.t, expected.t, 1e-13);
    for (std::size_t j = 0; j < kDim; ++j) {
      EXPECT_NEAR(actual.mean_x[j], expected.mean_x[j] - 0.25,
                  1e-14 * std::sqrt(expected.s[j * kDim + j]));
      EXPECT_NEAR(actual.mean_y[j], expected.mean_y[j] - 0.25,
                  1e-14 * std::sqrt(expected.t[j * kDim + j]));
    }
  }
}

TEST(Moments, PairedStreamsKeepTheirOwnCoordinates) {
  const Sampled sampled = random_streams(kRows, kDim, 4);
  const MomentLayout layout{2, kDim, Streams::paired, kRows};
  const Totals totals = sum_of_one_leaf(layout, sampled);
  for (std::size_t block = 0; block < 2; ++block) {
    const PairMoments actual = moments_from(layout, totals, block);
    const PairMoments expected = moments_of(as_matrix(sampled.streams[2 * block], kDim),
                                            as_matrix(sampled.streams[2 * block + 1], kDim));
    expect_near(actual.s, expected.s, expected.s, expected.s, 1e-13);
    expect_near(actual.c, expected.c, expected.t, expected.s, 1e-13);
    expect_near(actual.t, expected.t, expected.t, expected.t, 1e-13);
  }
}

TEST(Moments, PartsOfTheLayoutDoNotOverlap) {
  const MomentLayout layout{3, 5, Streams::chained, 100};
  EXPECT_EQ(layout.streams(), 4u);
  EXPECT_EQ(layout.stream_of_y(1), layout.stream_of_x(2));
  EXPECT_EQ(layout.nonfinite_at(0), 1u);
  EXPECT_EQ(layout.sums_at(0), 5u);
  EXPECT_EQ(layout.square_at(0), 5u + 4 * 5);
  EXPECT_EQ(layout.square_at(1), layout.square_at(0) + 15);
  EXPECT_EQ(layout.cross_at(0), layout.square_at(0) + 4 * 15);
  EXPECT_EQ(layout.words(), layout.cross_at(0) + 3 * 25);
}

TEST(Moments, ShardsOfLeavesGiveEqualBits) {
  const Sampled sampled = random_streams(kRows, kDim);
  const MomentLayout layout{2, kDim, Streams::chained, 512};
  const std::vector<Leaf> leaves{{0, 64},   {64, 1},   {65, 0},   {65, 100}, {165, 7},
                                 {172, 64}, {236, 33}, {269, 31}, {300, 1}};
  const Totals one = sum_over_buffers(layout, sampled, dealt(leaves, 1));
  const auto expect_equal = [&](const std::vector<std::vector<Leaf>>& leaves_of) {
    const Totals other = sum_over_buffers(layout, sampled, leaves_of);
    EXPECT_EQ(other.exponents, one.exponents);
    EXPECT_EQ(other.words, one.words);
  };
  for (const std::size_t buffers : {2u, 3u, 4u, 8u, 16u}) expect_equal(dealt(leaves, buffers));
  std::vector<std::vector<Leaf>> unequal(4);
  unequal[1] = {leaves.rbegin(), leaves.rbegin() + 6};
  unequal[3] = {leaves.begin(), leaves.begin() + 3};
  expect_equal(unequal);

  const PairMoments sharded = moments_from(layout, one, 1);
  const PairMoments whole = moments_from(layout, sum_of_one_leaf(layout, sampled), 1);
  expect_near(sharded.c, whole.c, whole.t, whole.s, 1e-14);
}

TEST(Moments, OfManyRowsDoNotDependOnTheChunksOfOthers) {
  const Sampled sampled = random_streams(2 * 256 + 3, kDim);
  const MomentLayout layout{2, kDim, Streams::chained, 1024};
  const PairMoments actual = moments_from(layout, sum_of_one_leaf(layout, sampled), 0);
  const PairMoments expected =
      moments_of(as_matrix(sampled.streams[0], kDim), as_matrix(sampled.streams[1], kDim));
  expect_near(actual.s, expected.s, expected.s, expected.s, 1e-13);
  expect_near(actual.c, expected.c, expected.t, expected.s, 1e-13);
}

TEST(Moments, NoLeavesAtAllAreNoSamples) {
  const MomentLayout layout{1, kDim, Streams::chained, 16};
  const Totals totals = sum_over_buffers(layout, random_streams(0, kDim, 2), {{{0, 0}}, {}});
  const PairMoments moments = moments_from(layout, totals, 0);
  EXPECT_EQ(moments.samples, 0);
  EXPECT_TRUE(moments.is_finite);
  EXPECT_EQ(moments.s, std::vector<double>(kDim * kDim));
}

TEST(Moments, ACoordinateThatIsAlwaysItsShiftHasNone) {
  Sampled sampled = random_streams(kRows, kDim, 2);
  for (std::size_t i = 0; i < kRows; ++i) sampled.streams[0][i * kDim + 3] = 0.25f;
  const MomentLayout layout{1, kDim, Streams::chained, kRows};
  const Totals totals = sum_of_one_leaf(layout, sampled);
  EXPECT_EQ(totals.exponents[3], kLowestExponent);
  const PairMoments moments = moments_from(layout, totals, 0);
  for (std::size_t j = 0; j < kDim; ++j) EXPECT_EQ(moments.s[3 * kDim + j], 0.0);
  EXPECT_GT(moments.s[0], 0.0);
}

TEST(Moments, ValuesThatAreNotFiniteAreCountedWhereTheyAre) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    Sampled sampled = random_streams(kRows, kDim, 4);
    sampled.streams[2][17] = bad;
    const MomentLayout layout{3, kDim, Streams::chained, kRows};
    const Totals totals = sum_over_buffers(layout, sampled, {{{0, 200}}, {{200, kRows - 200}}});
    EXPECT_EQ(totals.words[layout.nonfinite_at(2)], 1);
    EXPECT_TRUE(moments_from(layout, totals, 0).is_finite);
    EXPECT_FALSE(moments_from(layout, totals, 1).is_finite);
    EXPECT_FALSE(moments_from(layout, totals, 2).is_finite);
    EXPECT_EQ(moments_from(layout, totals, 1).s, std::vector<double>(kDim * kDim));
  }
}

TEST(Moments, TheLargestAndSmallestNumbersFit) {
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  const Sampled sampled{3,
                        2,
                        {{largest, smallest, -largest, 0.0f, largest, -smallest},
                         {1.0f, largest, 2.0f, -largest, 3.0f, largest}},
                        {{-largest, 0.0f}, {0.0f, 0.0f}}};
  const MomentLayout layout{1, 2, Streams::chained, 3};
  const PairMoments moments = moments_from(layout, sum_of_one_leaf(layout, sampled), 0);
  const double big = largest;
  EXPECT_NEAR(moments.s[0] / (big * big), 4.0 / 3.0, 1e-12);
  EXPECT_NEAR(moments.s[3] / smallest / smallest, 1.0, 1e-12);
}

TEST(Moments, TooManySamplesAndForeignExponentsAreRefused) {
  const Sampled sampled = random_streams(kRows, kDim, 2);
  const MomentLayout small{1, kDim, Streams::chained, 200};
  EXPECT_THROW(sum_of_one_leaf(small, sampled), Error);
  EXPECT_THROW(moments_from(small, sum_over_buffers(small, sampled, {{{0, 150}, {150, 151}}}), 0),
               Error);

  const MomentLayout layout{1, kDim, Streams::chained, kRows};
  LeafMoments leaf_moments{layout};
  const std::vector<std::int32_t> unraised(layout.exponents(), kLowestExponent);
  std::vector<std::int64_t> words(layout.words());
  EXPECT_THROW(leaf_moments.add(sampled.leaf(0, kRows), unraised, words), Error);
}

}  // namespace
}  // namespace ballast::monitor
