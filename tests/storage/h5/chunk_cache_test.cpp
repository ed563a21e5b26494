#include "storage/h5/chunk_cache.hpp"

#include <gtest/gtest.h>

namespace ballast::storage::h5 {
namespace {

ChunkCache::Chunk chunk_of(std::size_t bytes) {
  return std::make_shared<const std::vector<std::uint8_t>>(bytes);
}

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(H5ChunkCache, DropsWhatWasNotAskedForLongest) {
  ChunkCache cache;
  for (std::uint64_t i = 0; i < 24; ++i) cache.keep({1, i}, chunk_of(kMiB));
  EXPECT_NE(cache.find({1, 0}), nullptr);
  cache.keep({1, 24}, chunk_of(kMiB));
  EXPECT_NE(cache.find({1, 0}), nullptr);
  EXPECT_EQ(cache.find({1, 1}), nullptr);
  EXPECT_NE(cache.find({1, 24}), nullptr);
  EXPECT_EQ(cache.find({2, 24}), nullptr);
}

TEST(H5ChunkCache, CountsAChunkThatCameTwiceOnce) {
  ChunkCache cache;
  cache.keep({1, 0}, chunk_of(kMiB));
  for (int i = 0; i < 100; ++i) cache.keep({1, 1}, chunk_of(kMiB));
  EXPECT_NE(cache.find({1, 0}), nullptr);
}

TEST(H5ChunkCache, KeepsSoManySmallOnes) {
  ChunkCache cache;
  for (std::uint64_t i = 0; i < 5000; ++i) cache.keep({1, i}, chunk_of(1));
  EXPECT_EQ(cache.find({1, 5000 - 4097}), nullptr);
  EXPECT_NE(cache.find({1, 5000 - 4096}), nullptr);
}

TEST(H5ChunkCache, WhatIsHeldOutlivesItsPlace) {
  ChunkCache cache;
  cache.keep({1, 0}, chunk_of(5));
  const auto held = cache.find({1, 0});
  for (std::uint64_t i = 1; i < 30; ++i) cache.keep({1, i}, chunk_of(kMiB));
  EXPECT_EQ(cache.find({1, 0}), nullptr);
  EXPECT_EQ(held->size(), 5u);
}

}  // namespace
}  // namespace ballast::storage::h5
