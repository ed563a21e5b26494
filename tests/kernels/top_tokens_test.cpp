#include "kernels/top_tokens.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/values.hpp"

namespace ballast::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<std::int32_t> ids_of(std::span<const TokenLoss> top) {
  std::vector<std::int32_t> ids;
  for (const auto& token : top) ids.push_back(token.id);
  return ids;
}

/// All ids of a row, sorted: a stable sort leaves the lower of two equals before the higher.
std::vector<std::int32_t> sorted_ids(std::span<const float> row) {
  std::vector<std::int32_t> ids(row.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::ranges::stable_sort(
      ids, [&](auto a, auto b) { return row[std::size_t(a)] > row[std::size_t(b)]; });
  return ids;
}

class TopTokens : public testing::TestWithParam<std::size_t> {};

TEST_P(TopTokens, AreThoseOfASortAndCostWhatALabelCosts) {
  constexpr std::size_t kRows = 7;
  const std::size_t vocabulary = GetParam();
  auto logits = random_values(1, kRows * vocabulary, 10.0);
  for (float& logit : logits) logit = std::round(logit);  // many are equal
  const auto before = logits;
  for (const std::size_t count : {std::size_t{1}, std::size_t{5}, vocabulary}) {
    if (count > vocabulary) continue;
    std::vector<TokenLoss> top(kRows * count, {-1, kNaN});
    top_tokens(vocabulary, count, logits, top);
    EXPECT_EQ(logits, before);
    for (std::size_t r = 0; r < kRows; ++r) {
      const auto row = std::span{logits}.subspan(r * vocabulary, vocabulary);
      const auto best = std::span{top}.subspan(r * count, count);
      auto expected = sorted_ids(row);
      expected.resize(count);
      ASSERT_EQ(ids_of(best), expected) << "row " << r << " of " << vocabulary;
      for (const auto& [id, nll] : best) {
        std::vector<float> cost(1);
        cross_entropy_loss(vocabulary, std::vector{id}, row, {cost});
        ASSERT_EQ(nll, cost[0]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TopTokens, testing::Values(1, 2, 7, 16, 17, 130, 5001));

TEST(TopTokensOf, LogitsThatAreNoNumbersComeLastByTheirIds) {
  const std::vector<float> logits{kNaN, 1.0f, -kInfinity, 3.0f, kNaN, 1.0f};
  std::vector<TokenLoss> top(logits.size());
  top_tokens(logits.size(), top.size(), logits, top);
  EXPECT_EQ(ids_of(top), (std::vector{3, 1, 5, 0, 2, 4}));
  const std::vector<float> nothing(4, kNaN);
  top_tokens(4, 2, nothing, std::span{top}.first(2));
  EXPECT_EQ(ids_of(std::span{top}.first(2)), (std::vector{0, 1}));
  EXPECT_TRUE(std::isnan(top[0].nll));
}

TEST(TopTokensOf, MoreThanThereAreAreRefused) {
  const std::vector<float> logits(4);
  std::vector<TokenLoss> top(5);
  EXPECT_THROW(top_tokens(4, 5, logits, top), Error);
  EXPECT_THROW(top_tokens(4, 0, logits, top), Error);
}

}  // namespace
}  // namespace ballast::kernels
