#include "fsdp/shard_layout.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "reference/variants.hpp"

namespace ballast::fsdp {
namespace {

model::ParameterTable odd_table() { return model::ParameterTable{reference::uneven_shape()}; }

TEST(ShardLayout, EveryGranuleHasOneOwner) {
  const auto table = odd_table();
  for (std::size_t world_size = 1; world_size <= 9; ++world_size) {
    std::vector<std::vector<int>> owners(table.parameters().size());
    for (std::size_t i = 0; i < owners.size(); ++i) {
      owners[i].resize(table.parameters()[i].granules());
    }
    for (std::size_t rank = 0; rank < world_size; ++rank) {
      for (const auto& segment : shard_segments(table, rank, world_size)) {
        for (std::size_t g = segment.granules.first; g < segment.granules.end(); ++g) {
          ++owners[segment.parameter].at(g);
        }
      }
    }
    for (const auto& counts : owners) {
      for (const int count : counts) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ShardLayout, SegmentsFillTheFlatShardWithoutGaps) {
  const auto table = odd_table();
  for (std::size_t world_size = 1; world_size <= 7; ++world_size) {
    for (std::size_t rank = 0; rank < world_size; ++rank) {
      const ShardLayout layout{table, rank, world_size};
      std::size_t at = 0;
      for (const auto& segment : layout.segments()) {
        EXPECT_EQ(segment.local_offset, at);
        at += segment.granules.numel();
        const auto& parameter = table.parameters()[segment.parameter];
        EXPECT_LE(segment.granules.first_element() + segment.logical_numel, parameter.numel);
        EXPECT_GT(segment.logical_numel + kGranule, segment.granules.numel());
      }
      EXPECT_EQ(at, layout.local_numel());
      EXPECT_EQ(at, layout.local_granules(rank) * kGranule);
    }
  }
}

TEST(ShardLayout, ShardsDifferByAGranulePerUnitAtMost) {
  const auto table = odd_table();
  for (std::size_t world_size = 2; world_size <= 7; ++world_size) {
    const ShardLayout layout{table, 0, world_size};
    for (model::UnitId unit = 0; unit < table.units().size(); ++unit) {
      for (std::size_t rank = 0; rank < world_size; ++rank) {
        EXPECT_LE(layout.largest_shard(unit), layout.range(unit, rank).count + 1);
      }
    }
  }
}

}  // namespace
}  // namespace ballast::fsdp
