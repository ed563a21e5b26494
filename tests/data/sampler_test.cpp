#include "data/sampler.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace ballast::data {
namespace {

std::vector<std::size_t> order(std::uint64_t seed, std::size_t windows, std::uint64_t epoch) {
  const Sampler sampler{seed, windows};
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < windows; ++i) result.push_back(sampler.window(epoch * windows + i));
  return result;
}

TEST(Sampler, EveryWindowComesOnceAnEpoch) {
  for (const std::size_t windows : {1u, 2u, 3u, 5u, 64u, 1000u, 4097u}) {
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}}) {
      for (const std::uint64_t epoch : {0u, 1u, 12345u}) {
        std::vector<int> seen(windows);
        for (const std::size_t window : order(seed, windows, epoch)) ++seen.at(window);
        EXPECT_EQ(seen, std::vector<int>(windows, 1)) << windows << " " << seed << " " << epoch;
      }
    }
  }
}

TEST(Sampler, OrderDependsOnSeedAndEpochAlone) {
  EXPECT_EQ(order(1, 1000, 3), order(1, 1000, 3));
  EXPECT_NE(order(1, 1000, 3), order(1, 1000, 4));
  EXPECT_NE(order(1, 1000, 3), order(2, 1000, 3));
  EXPECT_NE(order(std::uint64_t{1} << 40, 1000, 3), order(0, 1000, 3));
}

TEST(Sampler, CursorCountsThroughTheEpochs) {
  const Sampler sampler{3, 10};
  EXPECT_EQ(sampler.epoch(9), 0u);
  EXPECT_EQ(sampler.epoch(10), 1u);
  EXPECT_EQ(sampler.window(25), order(3, 10, 2)[5]);
}

// Pinned: another order after an update would break every resume.
TEST(Sampler, OrderIsForGood) {
  EXPECT_EQ(order(42, 8, 0), (std::vector<std::size_t>{2, 4, 7, 3, 1, 0, 5, 6}));
}

// In a random permutation, a window lands on average a third of the range away from its place, and
// neighbors do not stay together.
TEST(Sampler, ShufflesFarAndWide) {
  constexpr std::size_t kWindows = 4097;
  const auto windows = order(5, kWindows, 0);
  double moved = 0;
  std::size_t neighbors = 0;
  for (std::size_t i = 0; i < kWindows; ++i) {
    moved +=
        windows[i] > i ? static_cast<double>(windows[i] - i) : static_cast<double>(i - windows[i]);
    neighbors += i > 0 && windows[i] == windows[i - 1] + 1 ? 1u : 0u;
  }
  EXPECT_NEAR(moved / kWindows / kWindows, 1.0 / 3, 0.02);
  EXPECT_LT(neighbors, 10u);
}

// Each window is as likely to be first as any other.
TEST(Sampler, FirstWindowsAreUniform) {
  constexpr std::size_t kWindows = 5;
  constexpr std::uint64_t kEpochs = 5000;
  std::vector<double> first(kWindows);
  const Sampler sampler{11, kWindows};
  for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    first[sampler.window(epoch * kWindows)] += 1;
  }
  for (const double count : first) EXPECT_NEAR(count, 1000, 6 * 28.3);  // six standard deviations
}

}  // namespace
}  // namespace ballast::data
