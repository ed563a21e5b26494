#include "monitor/cadence.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace ballast::monitor {
namespace {

std::vector<std::uint64_t> due_steps(const Cadence& cadence, std::uint64_t last, Watch watch) {
  std::vector<std::uint64_t> steps;
  for (std::uint64_t step = 1; step <= last; ++step) {
    if (cadence.is_due(step, watch)) steps.push_back(step);
  }
  return steps;
}

TEST(Cadence, IsDenseInWarmUpAndSparseAfterwards) {
  EXPECT_EQ(due_steps({20, 10}, 61, Watch::calm),
            (std::vector<std::uint64_t>{1, 4, 8, 20, 40, 60}));
}

TEST(Cadence, IsDenseInAlarm) {
  EXPECT_EQ(due_steps({10, 0}, 7, Watch::alarmed), (std::vector<std::uint64_t>{1, 2, 4, 6}));
}

TEST(Cadence, IsNeverCloserThanAStep) {
  EXPECT_EQ(due_steps({3, 2}, 7, Watch::calm), (std::vector<std::uint64_t>{1, 2, 3, 6}));
}

TEST(Cadence, IsNoDenserThanProbesMayCost) {
  EXPECT_EQ(due_steps({20, 30, 0.4}, 61, Watch::calm),
            (std::vector<std::uint64_t>{1, 8, 16, 24, 40, 60}));
  EXPECT_EQ(due_steps({20, 30, 50.0}, 41, Watch::alarmed), (std::vector<std::uint64_t>{1, 20, 40}));
}

TEST(Cadence, OfZeroNeverLooks) { EXPECT_TRUE(due_steps({0, 100}, 200, Watch::alarmed).empty()); }

}  // namespace
}  // namespace ballast::monitor
