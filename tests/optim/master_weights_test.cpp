#include "optim/master_weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/granule.hpp"
#include "kernels/convert.hpp"
#include "kernels/values.hpp"
#include "optim/owned_master.hpp"

namespace ballast::optim {
namespace {

constexpr ElementType kTypes[] = {ElementType::fp32, ElementType::bf16, ElementType::fp16};

/// Slices of odd sizes side by side, one of them empty.
struct Shard {
  explicit Shard(ElementType type) {
    std::vector<MasterSlice> slices;
    for (const std::size_t count : {7u, 0u, 100u, 1u, 33u}) {
      parts.push_back(std::make_unique<OwnedMaster>(type, size, count));
      slices.push_back(parts.back()->slice());
      size += count;
    }
    weights = MasterWeights{std::move(slices)};
  }

  [[nodiscard]] std::vector<float> compute() const {
    std::vector<float> values;
    for (const auto& part : parts) std::ranges::copy(part->compute(), std::back_inserter(values));
    return values;
  }

  std::vector<std::unique_ptr<OwnedMaster>> parts;
  std::size_t size = 0;
  MasterWeights weights;
};

TEST(MasterWeights, AreReadExactlyAsTheyWereWrittenInAnyPieces) {
  for (const ElementType type : kTypes) {
    const Shard shard{type};
    ASSERT_EQ(shard.weights.size(), shard.size);
    const auto values = random_values(1, shard.size);
    shard.weights.write(0, values);
    for (const std::size_t piece : {1u, 5u, 7u, 8u, 64u, 141u}) {
      std::vector<float> back(shard.size);
      for (std::size_t at = 0; at < shard.size; at += piece) {
        shard.weights.read(at, std::span{back}.subspan(at, std::min(piece, shard.size - at)));
      }
      EXPECT_EQ(back, values) << name_of(type) << " in pieces of " << piece;
    }
  }
}

TEST(MasterWeights, WritingReplacesWhatTheModelComputesWithAndNothingBesides) {
  for (const ElementType type : kTypes) {
    const Shard shard{type};
    shard.weights.write(0, random_values(1, shard.size));
    const auto before = shard.compute();
    const auto values = random_values(2, 50);
    shard.weights.write(5, values);
    const auto compute = shard.compute();
    for (std::size_t i = 0; i < shard.size; ++i) {
      if (i < 5 || i >= 55) {
        ASSERT_EQ(compute[i], before[i]) << name_of(type) << " at " << i;
      } else {
        ASSERT_NEAR(compute[i], values[i - 5], 0x1p-8f) << name_of(type) << " at " << i;
      }
    }
  }
}

TEST(MasterWeights, WithoutTheRestAreWhatTheModelComputesWith) {
  constexpr std::size_t kNumel = 2 * kGranule + 3;
  std::vector<float> values(kNumel);
  for (std::size_t i = 0; i < kNumel; ++i) values[i] = std::ldexp(1.0f + 1.7e-4f * float(i), -3);
  for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
    std::vector<std::uint16_t> whole(kNumel), alone(kNumel, 7);
    std::vector<std::int16_t> low(kNumel);
    std::vector<float> full(kNumel);
    const bool is_split = type == ElementType::bf16;
    const MasterSlice kept{0,
                           {reinterpret_cast<std::byte*>(whole.data()), kNumel, type},
                           is_split ? std::span{low} : std::span<std::int16_t>{},
                           is_split ? std::span<float>{} : std::span{full}};
    const MasterSlice frozen{0, {reinterpret_cast<std::byte*>(alone.data()), kNumel, type}, {}, {}};
    write(kept, 0, values);
    write(frozen, 1, std::span{values}.subspan(1));
    EXPECT_EQ(alone.front(), 7);
    EXPECT_TRUE(std::equal(whole.begin() + 1, whole.end(), alone.begin() + 1)) << name_of(type);
    std::vector<float> back(kNumel);
    read(frozen, 0, back);
    std::vector<float> computed(kNumel);
    kernels::widen(frozen.compute, computed);
    EXPECT_EQ(back, computed) << name_of(type);
  }
}

TEST(MasterWeights, OfPlainFp32AreThatMemory) {
  std::vector<float> memory(9);
  const MasterWeights weights{std::span{memory}};
  weights.write(2, std::vector<float>{4.0f, 5.0f});
  EXPECT_EQ(memory, (std::vector<float>{0, 0, 4, 5, 0, 0, 0, 0, 0}));
}

TEST(MasterWeights, GapsAndRangesBeyondTheEndAreNamed) {
  const OwnedMaster first{ElementType::bf16, 0, 5};
  const OwnedMaster apart{ElementType::bf16, 6, 5};
  EXPECT_THROW(MasterWeights({first.slice(), apart.slice()}), Error);
  const MasterWeights weights{{first.slice()}};
  std::vector<float> values(4);
  EXPECT_THROW(weights.read(2, values), Error);
  EXPECT_THROW(weights.write(2, values), Error);
}

}  // namespace
}  // namespace ballast::optim
