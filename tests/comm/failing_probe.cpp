// Tests that fail or are skipped on rank 1 only, to see what the test main makes of them.
#include <array>
#include <cstddef>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

#include "support/world.hpp"

namespace {

using ballast::test::world;

TEST(Probe, OneRankFails) {
  EXPECT_NE(world().rank(), 1);
  world().barrier({"barrier"});
}

/// Rank 1 misses a broadcast that the others get through.
TEST(Probe, OneRankLeaves) {
  ASSERT_NE(world().rank(), 1);
  std::array<std::byte, 8> bytes{};
  world().broadcast(bytes, 0, {"broadcast"});
}

TEST(Probe, OneRankThrows) {
  if (world().rank() == 1) throw std::runtime_error{"gone"};
  world().barrier({"barrier"});
}

TEST(Probe, OneRankLoops) {
  while (world().rank() == 1) ::pause();
}

TEST(Probe, OneRankSkips) {
  if (world().rank() == 1) GTEST_SKIP() << "not here";
}

TEST(Probe, AllSkip) { GTEST_SKIP() << "nowhere"; }

TEST(Probe, Passes) { EXPECT_EQ(world().sum(1, {"sum"}), world().size()); }

}  // namespace
