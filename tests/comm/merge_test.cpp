#include "comm/merge.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "base/error.hpp"
#include "support/world.hpp"

namespace ballast::comm {
namespace {

using test::world;

double rank_number() { return world().rank(); }

/// Of all ranks: 0 + 1 + ... + (N - 1).
std::int64_t sum_of_ranks() {
  const std::int64_t ranks = world().size();
  return ranks * (ranks - 1) / 2;
}

TEST(Merge, AddsUpEveryKindOfPartInItsPlace) {
  ExactSum one;
  one.add(0.1 * rank_number());
  std::vector<ExactSum> several(3);
  for (std::size_t i = 0; i < several.size(); ++i) {
    several[i].add(static_cast<double>(i) + rank_number());
  }
  std::int64_t count = world().rank() + 1;
  std::array<std::int64_t, 2> counts{world().rank(), -world().rank()};

  merge(world(), {one, count, several, counts}, {"test"});

  ExactSum expected;
  for (int rank = 0; rank < world().size(); ++rank) expected.add(0.1 * rank);
  EXPECT_EQ(one.value(), expected.value());
  EXPECT_EQ(count, sum_of_ranks() + world().size());
  for (std::size_t i = 0; i < several.size(); ++i) {
    EXPECT_EQ(several[i].value(),
              static_cast<double>(sum_of_ranks()) + static_cast<double>(i) * world().size());
  }
  EXPECT_EQ(counts, (std::array{sum_of_ranks(), -sum_of_ranks()}));
}

TEST(Merge, IsExactInAnyOrderOfRanks) {
  // In doubles, 1 is lost beside 2^80 unless the large ones have met before.
  ExactSum sum;
  sum.add(1.0);
  sum.add(world().rank() % 2 == 0 ? 0x1p80 : -0x1p80);
  merge(world(), {sum}, {"test"});
  const double left = world().size() % 2 == 0 ? 0.0 : 0x1p80;
  ExactSum expected;
  expected.add(left);
  expected.add(world().size());
  EXPECT_EQ(sum.value(), expected.value());
}

TEST(Merge, CarriesWhatIsNotFinite) {
  ExactSum sum;
  if (world().rank() == world().size() - 1) sum.add(std::nan(""));
  merge(world(), {sum}, {"test"});
  EXPECT_EQ(sum.nonfinite(), 1);
}

TEST(Merge, TakesAnyNumberOfPartsAndNone) {
  std::vector<ExactSum> many(997);  // long enough to be summed part by part
  for (auto& sum : many) sum.add(1.0);
  std::int64_t last = 1;
  std::vector<ExactSum> none;
  merge(world(), {many, none, last}, {"test"});
  for (const auto& sum : many) ASSERT_EQ(sum.value(), world().size());
  EXPECT_EQ(last, world().size());
}

TEST(Merge, RefusesWhatExceeds64Bits) {
  if (world().size() == 1) GTEST_SKIP() << "needs two ranks";
  std::int64_t count = INT64_MAX;
  EXPECT_THROW(merge(world(), {count}, {"test"}), Error);
}

}  // namespace
}  // namespace ballast::comm
