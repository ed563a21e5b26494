#include "calibrate/proportion.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace ballast::calibrate {
namespace {

TEST(Proportion, HasWilsonsInterval) {
  // Newcombe 1998, table I, method 3.
  const auto [low, high] = Proportion{81, 263}.interval();
  EXPECT_NEAR(low, 0.2553, 5e-5);
  EXPECT_NEAR(high, 0.3662, 5e-5);
  const auto [least, most] = Proportion{0, 20}.interval();
  EXPECT_EQ(least, 0.0);
  EXPECT_NEAR(most, 0.1611, 5e-5);
  EXPECT_NEAR((Proportion{29, 29}.interval()[0]), 0.8830, 5e-5);
  EXPECT_EQ((Proportion{29, 29}.interval()[1]), 1.0);
}

TEST(Proportion, CountsAndReads) {
  Proportion share;
  EXPECT_EQ(share.text(), "-");
  EXPECT_TRUE(std::isnan(share.value()));
  for (int i = 0; i < 17; ++i) share.count(i < 5);
  EXPECT_EQ(share.text(), "5/17 = 0.29 [0.13, 0.53]");
}

}  // namespace
}  // namespace ballast::calibrate
