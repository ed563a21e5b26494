#include "monitor/signals/history.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace ballast::monitor {
namespace {

TEST(History, ForgetsTheOldest) {
  History history{3};
  for (const double value : {1.0, 2.0, 3.0, 4.0}) history.push(value);
  EXPECT_TRUE(history.is_full());
  EXPECT_EQ(std::vector<double>(history.values().begin(), history.values().end()),
            (std::vector<double>{2, 3, 4}));
  history.assign(std::array{5.0, 6.0, 7.0, 8.0, 9.0});
  EXPECT_EQ(std::vector<double>(history.values().begin(), history.values().end()),
            (std::vector<double>{7, 8, 9}));
}

TEST(Median, OfOddAndEvenCounts) {
  EXPECT_EQ(median(std::array{5.0, 1.0, 3.0}), 3.0);
  EXPECT_EQ(median(std::array{5.0, 1.0, 3.0, 4.0}), 3.5);
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_EQ(median(std::array{1.0, 2.0, std::nan(""), 0.0, 0.5}), 0.75);
}

TEST(RobustZ, CountsDeviationsFromTheMedian) {
  const std::array values{1.0, 2.0, 3.0, 4.0, 100.0};
  EXPECT_DOUBLE_EQ(robust_z(3.0 + 2.0 * 1.4826, values, 0.1), 2.0);
  EXPECT_DOUBLE_EQ(robust_z(4.0, std::array{3.0, 3.0, 3.0}, 0.5), 2.0);
}

}  // namespace
}  // namespace ballast::monitor
