#include "report/series.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace ballast::report {
namespace {

std::vector<double> wave(std::size_t size) {
  std::vector<double> values;
  for (std::size_t i = 0; i < size; ++i) values.push_back(std::sin(0.01 * static_cast<double>(i)));
  return values;
}

bool holds(const std::vector<std::size_t>& kept, std::size_t index) {
  return std::ranges::find(kept, index) != kept.end();
}

TEST(Thinned, ShortOnesStayWhole) {
  EXPECT_TRUE(thinned({}, 7).empty());
  EXPECT_EQ(thinned(wave(7), 7).size(), 7u);
}

TEST(Thinned, KeepsEndsPeaksAndGaps) {
  auto values = wave(10'007);
  values[4'321] = 50.0;
  values[4'322] = -50.0;
  values[7'777] = std::nan("");
  for (const std::size_t limit : {5u, 17u, 2'000u}) {
    const auto kept = thinned(values, limit);
    EXPECT_LE(kept.size(), limit);
    EXPECT_TRUE(std::ranges::is_sorted(kept));
    EXPECT_EQ(std::ranges::adjacent_find(kept), kept.end());
    for (const std::size_t index : {0u, 4'321u, 4'322u, 7'777u, 10'006u}) {
      EXPECT_TRUE(holds(kept, index)) << index << " of " << limit;
    }
  }
  EXPECT_GT(thinned(values, 2'000).size(), 1'300u) << "thinner than it has to be";
}

TEST(Thinned, AllMissing) {
  const std::vector<double> values(101, std::nan(""));
  const auto kept = thinned(values, 20);
  EXPECT_LE(kept.size(), 20u);
  EXPECT_EQ(kept.back(), 100u);
}

TEST(Stretches, CoverAllOnce) {
  for (const std::size_t size : {0u, 1u, 6u, 7u, 8u, 1'001u}) {
    std::size_t next = 0;
    const auto all = stretches(size, 7);
    EXPECT_EQ(all.size(), std::min<std::size_t>(size, 7));
    for (const auto [begin, end] : all) {
      EXPECT_EQ(begin, next);
      EXPECT_GT(end, begin);
      next = end;
    }
    EXPECT_EQ(next, size);
  }
}

TEST(ShortNumber, RoundsAndHasNoInfinities) {
  EXPECT_EQ(short_number(0.123456789).dump(), "0.123457");
  EXPECT_EQ(short_number(240.0).dump(), "240");
  EXPECT_EQ(short_number(1.23456e-7, 3).dump(), "1.23e-07");
  EXPECT_TRUE(short_number(std::nan("")).is_null());
  EXPECT_TRUE(short_number(INFINITY).is_null());
}

}  // namespace
}  // namespace ballast::report
