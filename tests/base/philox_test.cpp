#include "base/philox.hpp"

#include <bit>
#include <gtest/gtest.h>
#include <limits>
#include <set>

namespace ballast {
namespace {

using Block = Philox::Block;

/// The generator with a raw counter and key: the purpose, which is mixed into the high word of the
/// key, is taken out again by the seed.
Block raw(const Block& counter, std::uint32_t key_low, std::uint32_t key_high) {
  const auto purpose = RandomPurpose::init;
  const std::uint32_t mixed = key_high ^ (static_cast<std::uint32_t>(purpose) * 0x9E3779B9u);
  const Philox philox{std::uint64_t{mixed} << 32 | key_low, purpose, counter[2], counter[3]};
  return philox(std::uint64_t{counter[1]} << 32 | counter[0]);
}

/// Known answers published with Random123 (Salmon et al. 2011), philox4x32 with 10 rounds.
TEST(Philox, GivesThePublishedAnswers) {
  constexpr std::uint32_t kOnes = 0xffffffffu;
  EXPECT_EQ(raw({0, 0, 0, 0}, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(raw({kOnes, kOnes, kOnes, kOnes}, kOnes, kOnes),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(raw({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EachPartOfTheKeyMakesAnotherStream) {
  std::set<Block> blocks;
  for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32}) {
    for (const auto purpose :
         {RandomPurpose::init, RandomPurpose::shuffle, RandomPurpose::sample, RandomPurpose::probe,
          RandomPurpose::basis, RandomPurpose::shaping}) {
      for (const std::uint32_t stream : {0u, 1u}) {
        for (const std::uint32_t step : {0u, 1u}) {
          const Philox philox{seed, purpose, stream, step};
          for (const std::uint64_t index : {0ull, 1ull, 1ull << 32}) blocks.insert(philox(index));
        }
      }
    }
  }
  EXPECT_EQ(blocks.size(), 3u * 6 * 2 * 2 * 3);
}

TEST(Philox, DependsOnTheIndexAlone) {
  const Philox philox{42, RandomPurpose::init, 7, 0};
  const Block forward = philox(5);
  std::ignore = philox(9);
  EXPECT_EQ(philox(5), forward);
}

/// Bits that are fair to five standard deviations, each of the 128.
TEST(Philox, BitsAreFair) {
  const Philox philox{1, RandomPurpose::sample, 0, 0};
  constexpr int kBlocks = 1 << 14;
  std::array<int, 128> ones{};
  for (std::uint64_t index = 0; index < kBlocks; ++index) {
    const Block block = philox(index);
    for (std::size_t bit = 0; bit < 128; ++bit) {
      ones[bit] += static_cast<int>(block[bit / 32] >> (bit % 32) & 1);
    }
  }
  for (const int count : ones) EXPECT_NEAR(count, static_cast<double>(kBlocks) / 2, 5 * 64);
}

TEST(OpenUnit, ExcludesBothEnds) {
  EXPECT_GT(open_unit(0), 0.0);
  EXPECT_LT(open_unit(std::numeric_limits<std::uint32_t>::max()), 1.0);
  EXPECT_LT(open_unit(0x7fffffff), 0.5);
  EXPECT_GT(open_unit(0x80000000), 0.5);
}

}  // namespace
}  // namespace ballast
