#include "base/granule.hpp"

#include <gtest/gtest.h>

namespace ballast {
namespace {

TEST(Granule, CountsAndPads) {
  EXPECT_EQ(granules_for(0), 0u);
  EXPECT_EQ(granules_for(1), 1u);
  EXPECT_EQ(granules_for(1024), 1u);
  EXPECT_EQ(granules_for(1025), 2u);
  EXPECT_EQ(padded_numel(0), 0u);
  EXPECT_EQ(padded_numel(1), 1024u);
  EXPECT_EQ(padded_numel(3 * 1024), 3u * 1024);
}

TEST(GranuleRange, CountsElements) {
  const GranuleRange range{3, 2};
  EXPECT_EQ(range.end(), 5u);
  EXPECT_EQ(range.first_element(), 3u * 1024);
  EXPECT_EQ(range.numel(), 2u * 1024);
}

/// Every granule has one owner, shards lie in rank order, and no rank has two more than another.
void expect_cover(std::size_t granules, std::size_t world_size) {
  std::size_t next = 0;
  const std::size_t least = granules / world_size;
  for (std::size_t rank = 0; rank < world_size; ++rank) {
    const GranuleRange shard = shard_range(granules, rank, world_size);
    ASSERT_EQ(shard.first, next) << granules << " granules, rank " << rank << "/" << world_size;
    ASSERT_GE(shard.count, least);
    ASSERT_LE(shard.count, least + (granules % world_size == 0 ? 0 : 1));
    next = shard.end();
  }
  ASSERT_EQ(next, granules);
}

TEST(ShardRange, CoversEachGranuleOnce) {
  for (std::size_t world_size = 1; world_size <= 8; ++world_size) {
    for (std::size_t granules = 0; granules <= 300; ++granules) expect_cover(granules, world_size);
    for (const std::size_t granules : {28'809ul, 1ul << 20, (1ul << 40) + 1}) {
      expect_cover(granules, world_size);
    }
  }
  expect_cover(1000, 4096);
}

}  // namespace
}  // namespace ballast
