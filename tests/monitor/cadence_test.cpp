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
  EXPECT_EQ(due_steps({20, 10, 1}, 61, Watch::calm),
            (std::vector<std::uint64_t>{1, 4, 8, 20, 40, 60}));
}

TEST(Cadence, IsDenseInAlarm) {
  EXPECT_EQ(due_steps({10, 0, 1}, 7, Watch::alarmed), (std::vector<std::uint64_t>{1, 2, 4, 6}));
}

TEST(Cadence, KeepsItsDistance) {
  EXPECT_EQ(due_steps({10, 100, 7}, 22, Watch::calm), (std::vector<std::uint64_t>{1, 7, 14, 21}));
  EXPECT_EQ(due_steps({3, 0, 7}, 22, Watch::calm), (std::vector<std::uint64_t>{1, 7, 14, 21}));
}

TEST(Cadence, OfZeroNeverLooks) {
  EXPECT_TRUE(due_steps({0, 100, 1}, 200, Watch::alarmed).empty());
}

}  // namespace
}  // namespace ballast::monitor
