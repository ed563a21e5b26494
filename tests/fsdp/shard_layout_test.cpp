#include "fsdp/shard_layout.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "reference/variants.hpp"

namespace ballast::fsdp {
namespace {

model::ParameterTable odd_table() { return model::ParameterTable{reference::uneven_shape()}; }

/// All meshes of up to nine ranks.
std::vector<Mesh> meshes() {
  std::vector<Mesh> all;
  for (std::size_t ranks = 1; ranks <= 9; ++ranks) {
    for (std::size_t shards = 1; shards <= ranks; ++shards) {
      if (ranks % shards == 0) all.push_back({ranks / shards, shards});
    }
  }
  return all;
}

TEST(Mesh, EachPartHasOneRank) {
  for (const Mesh& mesh : meshes()) {
    std::vector<int> ranks_of_part(mesh.ranks());
    for (std::size_t rank = 0; rank < mesh.ranks(); ++rank) {
      ++ranks_of_part.at(mesh.part_of(rank));
    }
    EXPECT_EQ(ranks_of_part, std::vector<int>(mesh.ranks(), 1));
  }
}

TEST(ShardLayout, EveryGranuleHasOneOwner) {
  const auto table = odd_table();
  for (const Mesh& mesh : meshes()) {
    std::vector<std::vector<int>> owners(table.parameters().size());
    for (std::size_t i = 0; i < owners.size(); ++i) {
      owners[i].resize(table.parameters()[i].granules());
    }
    for (std::size_t rank = 0; rank < mesh.ranks(); ++rank) {
      const ShardLayout layout{table, mesh, rank};
      for (const auto& segment : layout.owned_segments()) {
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

TEST(ShardLayout, ARankOwnsAPartOfWhatItHolds) {
  const auto table = odd_table();
  for (const Mesh& mesh : meshes()) {
    for (std::size_t rank = 0; rank < mesh.ranks(); ++rank) {
      const ShardLayout layout{table, mesh, rank};
      for (model::UnitId unit = 0; unit < table.units().size(); ++unit) {
        EXPECT_GE(layout.owned(unit).first, layout.held(unit).first);
        EXPECT_LE(layout.owned(unit).end(), layout.held(unit).end());
        EXPECT_GE(layout.owned_offset(unit), layout.held_offset(unit));
      }
    }
  }
}

TEST(ShardLayout, HeldSegmentsFillTheFlatShardWithoutGaps) {
  const auto table = odd_table();
  for (const Mesh& mesh : meshes()) {
    for (std::size_t rank = 0; rank < mesh.ranks(); ++rank) {
      const ShardLayout layout{table, mesh, rank};
      std::size_t at = 0;
      for (const auto& segment : layout.held_segments()) {
        EXPECT_EQ(segment.local_offset, at);
        at += segment.granules.numel();
        const auto& parameter = table.parameters()[segment.parameter];
        EXPECT_LE(segment.granules.first_element() + segment.logical_numel, parameter.numel);
        EXPECT_GT(segment.logical_numel + kGranule, segment.granules.numel());
      }
      EXPECT_EQ(at, layout.local_numel());
    }
  }
}

TEST(ShardLayout, OwnedPartsDifferByAGranulePerUnitAtMost) {
  const auto table = odd_table();
  for (const Mesh& mesh : meshes()) {
    const ShardLayout layout{table, mesh, 0};
    for (model::UnitId unit = 0; unit < table.units().size(); ++unit) {
      for (std::size_t rank = 0; rank < mesh.ranks(); ++rank) {
        EXPECT_LE(layout.largest_owned(unit), layout.owned(unit, rank).count + 1);
      }
    }
  }
}

}  // namespace
}  // namespace ballast::fsdp
