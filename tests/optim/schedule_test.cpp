#include "optim/schedule.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numbers>

namespace ballast::optim {
namespace {

constexpr ScheduleKind kKinds[] = {ScheduleKind::cosine, ScheduleKind::linear,
                                   ScheduleKind::constant, ScheduleKind::wsd};

Schedule make(ScheduleKind kind) {
  return {.kind = kind, .peak_lr = 3e-3, .min_lr = 3e-4, .warmup = 7, .steps = 107};
}

TEST(Schedule, WarmsUpLinearlyToThePeakWhateverFollows) {
  for (const auto kind : kKinds) {
    const Schedule schedule = make(kind);
    for (std::uint64_t step = 1; step <= 7; ++step) {
      EXPECT_DOUBLE_EQ(schedule.lr(step), 3e-3 * static_cast<double>(step) / 7.0);
    }
    EXPECT_EQ(schedule.lr(7), 3e-3);
  }
}

TEST(Schedule, StartsAtThePeakWithoutWarmup) {
  Schedule schedule = make(ScheduleKind::constant);
  schedule.warmup = 0;
  EXPECT_EQ(schedule.lr(1), 3e-3);
  schedule.kind = ScheduleKind::linear;
  EXPECT_DOUBLE_EQ(schedule.lr(1), 3e-3 - (3e-3 - 3e-4) / 107.0);
}

TEST(Schedule, CosineFollowsItsFormula) {
  const Schedule schedule = make(ScheduleKind::cosine);
  for (std::uint64_t step = 8; step < 107; ++step) {
    const double along = static_cast<double>(step - 7) / 100.0;
    const double expected = 3e-4 + (3e-3 - 3e-4) * 0.5 * (1.0 + std::cos(std::numbers::pi * along));
    EXPECT_NEAR(schedule.lr(step), expected, 1e-15) << "step " << step;
  }
  EXPECT_NEAR(schedule.lr(57), 0.5 * (3e-3 + 3e-4), 1e-15);
}

TEST(Schedule, LinearFallsByEqualSteps) {
  const Schedule schedule = make(ScheduleKind::linear);
  for (std::uint64_t step = 8; step <= 107; ++step) {
    EXPECT_NEAR(schedule.lr(step - 1) - schedule.lr(step), (3e-3 - 3e-4) / 100.0, 1e-15);
  }
}

TEST(Schedule, WsdIsStableThenFallsLinearlyOverItsLastPart) {
  Schedule schedule = make(ScheduleKind::wsd);
  schedule.steps = 100;
  for (std::uint64_t step = 7; step <= 80; ++step) EXPECT_EQ(schedule.lr(step), 3e-3);
  EXPECT_NEAR(schedule.lr(90), 0.5 * (3e-3 + 3e-4), 1e-15);
  EXPECT_LT(schedule.lr(81), 3e-3);
}

TEST(Schedule, WsdDecayWaitsForALongWarmup) {
  Schedule schedule = make(ScheduleKind::wsd);
  schedule.steps = 100;
  schedule.warmup = 90;
  EXPECT_EQ(schedule.lr(90), 3e-3);
  EXPECT_NEAR(schedule.lr(95), 0.5 * (3e-3 + 3e-4), 1e-15);
}

TEST(Schedule, EndsAtTheMinimumAndStaysThere) {
  for (const auto kind : {ScheduleKind::cosine, ScheduleKind::linear, ScheduleKind::wsd}) {
    const Schedule schedule = make(kind);
    EXPECT_EQ(schedule.lr(107), 3e-4);
    EXPECT_EQ(schedule.lr(100000), 3e-4);
  }
  EXPECT_EQ(make(ScheduleKind::constant).lr(100000), 3e-3);
}

TEST(Schedule, WarmupMayOutlastTheRun) {
  for (const auto kind : kKinds) {
    Schedule schedule = make(kind);
    schedule.warmup = 200;
    schedule.steps = 50;
    EXPECT_DOUBLE_EQ(schedule.lr(50), 3e-3 * 50.0 / 200.0);
    EXPECT_DOUBLE_EQ(schedule.lr(199), 3e-3 * 199.0 / 200.0);
  }
}

TEST(Schedule, NeverRisesAfterTheWarmupNorLeavesItsBounds) {
  for (const auto kind : kKinds) {
    const Schedule schedule = make(kind);
    double previous = std::numeric_limits<double>::infinity();
    for (std::uint64_t step = 7; step < 120; ++step) {
      const double rate = schedule.lr(step);
      EXPECT_LE(rate, previous);
      EXPECT_GE(rate, 3e-4);
      EXPECT_LE(rate, 3e-3);
      previous = rate;
    }
  }
}

}  // namespace
}  // namespace ballast::optim
