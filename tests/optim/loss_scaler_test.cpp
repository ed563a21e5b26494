#include "optim/loss_scaler.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace ballast::optim {
namespace {

void finite_steps(const LossScaler& scaler, LossScalerState& state, int count) {
  for (int i = 0; i < count; ++i) scaler.finite(state);
}

TEST(LossScaler, DoublesAfterEachIntervalOfFiniteSteps) {
  const LossScaler scaler{{.initial = 8.0, .growth_interval = 3}};
  auto state = scaler.start();
  EXPECT_EQ(state.scale, 8.0);
  finite_steps(scaler, state, 2);
  EXPECT_EQ(state.scale, 8.0);
  finite_steps(scaler, state, 1);
  EXPECT_EQ(state.scale, 16.0);
  finite_steps(scaler, state, 2);
  EXPECT_EQ(state.scale, 16.0);
  finite_steps(scaler, state, 1);
  EXPECT_EQ(state.scale, 32.0);
}

TEST(LossScaler, StopsGrowingAtTheMaximum) {
  const LossScaler scaler{{.initial = 8.0, .growth_interval = 1, .maximum = 16.0}};
  auto state = scaler.start();
  finite_steps(scaler, state, 5);
  EXPECT_EQ(state.scale, 16.0);
}

TEST(LossScaler, AnOverflowStartsTheIntervalAnew) {
  const LossScaler scaler{{.initial = 8.0, .growth_interval = 3, .hysteresis = 5}};
  auto state = scaler.start();
  finite_steps(scaler, state, 2);
  EXPECT_TRUE(scaler.overflow(state));
  finite_steps(scaler, state, 2);
  EXPECT_EQ(state.scale, 8.0);
  finite_steps(scaler, state, 1);
  EXPECT_EQ(state.scale, 16.0);
}

TEST(LossScaler, WithoutHysteresisEveryOverflowHalves) {
  const LossScaler scaler{{.initial = 8.0, .hysteresis = 1}};
  auto state = scaler.start();
  for (const double expected : {4.0, 2.0, 1.0}) {
    EXPECT_TRUE(scaler.overflow(state));
    EXPECT_EQ(state.scale, expected);
  }
}

TEST(LossScaler, ForgivesOverflowsUpToItsHysteresisAndNoMoreUntilItGrows) {
  const LossScaler scaler{{.initial = 64.0, .growth_interval = 4, .hysteresis = 3}};
  auto state = scaler.start();
  EXPECT_TRUE(scaler.overflow(state));
  finite_steps(scaler, state, 3);  // forgiveness is for growth to renew, not for single steps
  EXPECT_TRUE(scaler.overflow(state));
  EXPECT_EQ(state.scale, 64.0);
  for (const double expected : {32.0, 16.0}) {
    EXPECT_TRUE(scaler.overflow(state));
    EXPECT_EQ(state.scale, expected);
  }
  finite_steps(scaler, state, 4);
  EXPECT_EQ(state.scale, 32.0);
  EXPECT_TRUE(scaler.overflow(state));
  EXPECT_TRUE(scaler.overflow(state));
  EXPECT_EQ(state.scale, 32.0);
  EXPECT_TRUE(scaler.overflow(state));
  EXPECT_EQ(state.scale, 16.0);
}

TEST(LossScaler, SaysWhenItCannotShrinkAndKeepsTheScale) {
  const LossScaler scaler{{.initial = 4.0, .hysteresis = 2, .minimum = 2.0}};
  auto state = scaler.start();
  EXPECT_TRUE(scaler.overflow(state));
  EXPECT_TRUE(scaler.overflow(state));
  EXPECT_EQ(state.scale, 2.0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(scaler.overflow(state));
    EXPECT_EQ(state.scale, 2.0);
  }
}

TEST(LossScaler, ContinuesFromAKeptState) {
  const LossScaler scaler{{.growth_interval = 7, .hysteresis = 3}};
  auto through = scaler.start();
  auto state = through;
  for (int step = 0; step < 100; ++step) {
    const bool overflows = step % 11 == 3 || step % 13 == 5;
    LossScalerState resumed{state.scale, state.good_steps, state.tolerance};
    const LossScaler again{{.growth_interval = 7, .hysteresis = 3}};
    if (overflows) {
      EXPECT_EQ(scaler.overflow(through), again.overflow(resumed));
    } else {
      scaler.finite(through);
      again.finite(resumed);
    }
    state = resumed;
    ASSERT_EQ(state, through) << step;
    ASSERT_EQ(std::exp2(std::round(std::log2(state.scale))), state.scale);
  }
}

void expect_refused(const LossScalerConfig& config, const std::string& part) {
  try {
    const LossScaler scaler{config};
    FAIL() << "accepted, where " << part << " was expected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_NE(std::string{error.what()}.find(part), std::string::npos) << error.what();
  }
}

TEST(LossScaler, ConfigurationsThatMakeNoSenseAreRefusedByKey) {
  for (const double initial : {0.0, -8.0, 3.0, 65535.0, std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()}) {
    expect_refused({.initial = initial}, "precision.initial_scale is");
  }
  expect_refused({.initial = 0.5}, "from 1 to 16777216");
  expect_refused({.initial = 0x1p25}, "from 1 to 16777216");
  expect_refused({.growth_interval = 0}, "precision.growth_interval");
  expect_refused({.hysteresis = 0}, "precision.hysteresis");
}

}  // namespace
}  // namespace ballast::optim
