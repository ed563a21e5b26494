#include "tensor/reuse.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace ballast {
namespace {

/// Numbers of bytes that keep the alignment.
constexpr std::size_t kUnit = kAlignment;

TEST(Reuse, TakesWhatIsIdleBeforeItReservesAnew) {
  Arena arena;
  const auto first = arena.reserve<char>(MemoryClass::activations, 4 * kUnit);
  Reuse memory{arena};
  memory.lend({first.offset, 4 * kUnit});
  const auto fits = memory.reserve<char>(MemoryClass::gradients, 3 * kUnit);
  EXPECT_EQ(arena.planned_bytes(), 4 * kUnit);
  EXPECT_EQ(arena.planned_bytes(MemoryClass::gradients), 0u);
  EXPECT_GE(fits.offset, first.offset);
  EXPECT_LE(fits.offset + fits.numel, first.offset + first.numel);
  // One unit is left.
  const auto anew = memory.reserve<char>(MemoryClass::gradients, kUnit + 1);
  EXPECT_EQ(anew.offset, 4 * kUnit);
  EXPECT_EQ(arena.planned_bytes(MemoryClass::gradients), 2 * kUnit);
  const auto last = memory.reserve<char>(MemoryClass::gradients, 1);
  EXPECT_EQ(last.offset, first.offset);
}

TEST(Reuse, HandsNothingOutTwice) {
  Arena arena;
  const auto start = arena.planned_bytes();
  (void)arena.reserve<char>(MemoryClass::activations, 4 * kUnit);
  Reuse memory{arena};
  memory.lend(arena.reserved_since(start));
  std::vector<std::size_t> offsets;
  for (int i = 0; i < 6; ++i) {
    offsets.push_back(memory.reserve<char>(MemoryClass::gradients, kUnit).offset);
  }
  std::ranges::sort(offsets);
  for (std::size_t i = 0; i < offsets.size(); ++i) EXPECT_EQ(offsets[i], i * kUnit);
}

TEST(Reuse, JoinsWhatIsLentBelow) {
  Arena arena;
  (void)arena.reserve<char>(MemoryClass::activations, 6 * kUnit);
  Reuse memory{arena};
  memory.lend({3 * kUnit, 3 * kUnit});
  const auto upper = memory.reserve(MemoryClass::gradients, kUnit, ElementType::bf16);
  EXPECT_EQ(upper.offset, 4 * kUnit);
  memory.lend({0, 3 * kUnit});
  EXPECT_EQ(memory.reserve<char>(MemoryClass::gradients, 4 * kUnit).offset, 0u);
  EXPECT_EQ(arena.planned_bytes(), 6 * kUnit);
}

}  // namespace
}  // namespace ballast
