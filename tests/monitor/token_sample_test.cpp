#include "monitor/probe/token_sample.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace ballast::monitor {
namespace {

constexpr std::size_t kTokens = 37;

/// Three sequences of odd lengths, the last of them without labels from its fourth token on.
struct MicroBatch {
  MicroBatch() {
    for (const std::int32_t length : {13, 11, 13}) {
      for (std::int32_t i = 0; i < length; ++i) positions.push_back(i);
    }
    labels.assign(kTokens, 5);
    std::fill(labels.begin() + 27, labels.end(), -1);
  }
  std::vector<std::int32_t> positions;
  std::vector<std::int32_t> labels;
};

std::vector<std::uint32_t> chosen(std::uint64_t seed, std::size_t tokens, std::uint64_t step,
                                  std::uint64_t number) {
  const MicroBatch batch;
  TokenSample sample{seed, tokens, kTokens};
  const auto picked = sample.choose(step, number, batch.positions, batch.labels);
  return {picked.begin(), picked.end()};
}

TEST(TokenSample, LeavesOutFirstTokensAndThoseWithoutLabels) {
  const auto all = chosen(1, kTokens, 1, 0);
  EXPECT_EQ(all.size(), 24u);  // 27 labeled ones less three first tokens
  for (const std::uint32_t token : all) {
    EXPECT_NE(token, 0u);
    EXPECT_NE(token, 13u);
    EXPECT_NE(token, 24u);
    EXPECT_LT(token, 27u);
  }
}

TEST(TokenSample, TakesOneOfEachStratum) {
  const auto all = chosen(1, kTokens, 1, 0);
  const auto some = chosen(1, 7, 3, 2);
  ASSERT_EQ(some.size(), 7u);
  for (std::size_t i = 0; i < some.size(); ++i) {
    EXPECT_GE(some[i], all[i * 24 / 7]) << i;
    EXPECT_LE(some[i], all[(i + 1) * 24 / 7 - 1]) << i;
  }
}

TEST(TokenSample, DependsOnSeedStepAndMicroBatchAlone) {
  EXPECT_EQ(chosen(1, 7, 3, 2), chosen(1, 7, 3, 2));
  const std::set<std::vector<std::uint32_t>> different{chosen(1, 7, 3, 2), chosen(2, 7, 3, 2),
                                                       chosen(1, 7, 4, 2), chosen(1, 7, 3, 3)};
  EXPECT_EQ(different.size(), 4u);
}

}  // namespace
}  // namespace ballast::monitor
