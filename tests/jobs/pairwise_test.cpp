#include "jobs/pairwise.hpp"

#include <gtest/gtest.h>

#include "jobs/modes.hpp"

namespace ballast::test {
namespace {

bool anything(Level, Level) { return true; }

bool holds(const Row& row, Level x, Level y) {
  return row[x.factor] == x.level && row[y.factor] == y.level;
}

/// Every two levels that may meet stand together in a row, and no others do.
void expect_cover(const std::vector<std::size_t>& levels, const MayMeet& may_meet) {
  const PairwiseCover cover{levels, may_meet};
  for (std::size_t b = 0; b < levels.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      for (std::size_t pair = 0; pair < levels[a] * levels[b]; ++pair) {
        const Level x{a, pair / levels[b]};
        const Level y{b, pair % levels[b]};
        const bool met =
            std::ranges::any_of(cover.rows(), [&](const Row& row) { return holds(row, x, y); });
        EXPECT_EQ(met, may_meet(x, y)) << a << ':' << x.level << ' ' << b << ':' << y.level;
      }
    }
  }
}

TEST(PairwiseCover, HoldsEveryPair) {
  for (const std::vector<std::size_t>& levels : std::vector<std::vector<std::size_t>>{
           {1, 1}, {2, 3}, {5, 1, 4}, {2, 2, 2, 2, 2, 2, 2, 2}, {7, 5, 4, 3, 3, 3, 3, 2, 2}}) {
    expect_cover(levels, anything);
  }
}

TEST(PairwiseCover, LeavesOutWhatMayNotMeet) {
  expect_cover({4, 3, 3, 2}, [](Level x, Level y) {
    return x.factor != 0 || y.factor != 2 || x.level == 0 || y.level != 2;
  });
}

TEST(PairwiseCover, IsSmallAndTheSameEachTime) {
  const std::vector<std::size_t> levels{7, 5, 4, 3, 3, 3, 3, 2, 2};
  const PairwiseCover cover{levels, anything};
  EXPECT_LE(cover.rows().size(), 50u);
  EXPECT_EQ(cover.rows(), PairwiseCover(levels, anything).rows());
}

TEST(PairwiseCover, OfTheModesIsWithinItsBudget) {
  expect_cover(mode_levels(), modes_may_meet);
  EXPECT_LE(cover_of_modes().size() + number_of_references(), 60u);
}

}  // namespace
}  // namespace ballast::test
