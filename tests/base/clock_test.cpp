#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace ballast {
namespace {

TEST(Patience, AddsUpTheTimeBetweenLooks) {
  Patience patience;
  patience.restart(100.0);
  EXPECT_DOUBLE_EQ(patience.look(100.25), 0.25);
  EXPECT_DOUBLE_EQ(patience.look(100.5), 0.5);
  patience.restart(200.0);
  EXPECT_DOUBLE_EQ(patience.look(200.125), 0.125);
}

TEST(Patience, HoursInWhichTheProcessSleptCountForLittle) {
  Patience patience;
  patience.restart(0.0);
  (void)patience.look(0.25);
  EXPECT_DOUBLE_EQ(patience.look(7200.0), 0.25 + Patience::kLongestGap_s);
  EXPECT_DOUBLE_EQ(patience.look(7200.25), 0.5 + Patience::kLongestGap_s);
}

}  // namespace
}  // namespace ballast
