#include "monitor/signals/loss_rise.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace ballast::monitor {
namespace {

void push_many(LossRise& rise, double loss, int times) {
  for (int i = 0; i < times; ++i) rise.push(loss);
}

TEST(LossRise, IsNoughtWhileTheLossFalls) {
  LossRise rise;
  EXPECT_EQ(rise.value(), 0.0);
  for (double loss = 5.0; loss > 1.0; loss -= 0.25) {
    rise.push(loss);
    EXPECT_EQ(rise.value(), 0.0) << loss;
  }
}

TEST(LossRise, HoldsTheMeanOfTenAgainstTheLowestEver) {
  LossRise rise;
  push_many(rise, 2.0, 30);
  rise.push(3.0);
  EXPECT_NEAR(rise.value(), 0.1, 1e-12);
  push_many(rise, 3.0, 9);
  EXPECT_NEAR(rise.value(), 1.0, 1e-12);
  push_many(rise, 3.0, 500);
  EXPECT_NEAR(rise.value(), 1.0, 1e-12) << "the lowest is not forgotten";
}

TEST(LossRise, PassesOverWhatIsNotFinite) {
  LossRise rise;
  push_many(rise, 2.0, 10);
  for (const double loss : {std::nan(""), std::numeric_limits<double>::infinity()}) rise.push(loss);
  EXPECT_EQ(rise.value(), 0.0);
}

TEST(LossRise, GoesOnFromItsState) {
  LossRise first, second;
  push_many(first, 2.0, 4);
  push_many(first, 2.5, 3);
  second.restore(first.state());
  EXPECT_GT(first.value(), 0.0);
  for (const double loss : {2.75, 3.0, 1.0}) {
    first.push(loss);
    second.push(loss);
    EXPECT_EQ(second.value(), first.value());
  }
}

}  // namespace
}  // namespace ballast::monitor
