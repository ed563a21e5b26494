#include "fsdp/host_sums.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "fsdp/topology.hpp"

namespace ballast::fsdp {
namespace {

std::vector<LeafRange> sums_of(const LeafGroups& groups, const Wave& wave, comm::RankRange host) {
  std::vector<LeafRange> all;
  HostSums{groups, wave, host}.for_each([&](LeafRange range) { all.push_back(range); });
  return all;
}

using Ranges = std::vector<LeafRange>;

TEST(HostSums, AGroupThatAHostHasWholeLeavesItAsOneSum) {
  const Wave wave{8, 0, 8};
  EXPECT_EQ(sums_of({4}, wave, {0, 4}), (Ranges{{0, 4}}));
  EXPECT_EQ(sums_of({2}, wave, {4, 4}), (Ranges{{4, 2}, {6, 2}}));
  EXPECT_EQ(sums_of({1}, wave, {4, 2}), (Ranges{{4, 1}, {5, 1}}));
}

TEST(HostSums, OfAGroupThatHostsShareTheFirstPartIsASumAndTheRestGoesSingly) {
  const Wave wave{6, 0, 6};
  EXPECT_EQ(sums_of({4}, wave, {0, 3}), (Ranges{{0, 3}}));
  EXPECT_EQ(sums_of({4}, wave, {3, 3}), (Ranges{{3, 1}, {4, 2}}));
}

TEST(HostSums, AWaveMayEndBeforeAHost) {
  const Wave wave{3, 8, 11};
  EXPECT_EQ(sums_of({4}, wave, {0, 2}), (Ranges{{8, 2}}));
  EXPECT_EQ(sums_of({4}, wave, {2, 2}), (Ranges{{10, 1}}));
  EXPECT_EQ(sums_of({4}, wave, {4, 2}), (Ranges{}));
}

TEST(HostSums, CoverTheLeavesOfAWaveInOrder) {
  for (const std::size_t size : {1u, 2u, 3u, 5u, 16u}) {
    const Neighborhoods hosts = Topology::on_hosts({2, 3, 1}).hosts();
    for (std::size_t first = 0; first < 17; first += 6) {
      const Wave wave{std::min<std::size_t>(6, 17 - first), first, 17};
      std::size_t next = first;
      for (const comm::RankRange& host : hosts) {
        for (const LeafRange& range : sums_of({size}, wave, host)) {
          EXPECT_EQ(range.first, next);
          next = range.end();
        }
      }
      EXPECT_EQ(next, wave.end_leaf());
    }
  }
}

TEST(HostSums, OnlyWholeGroupsAreRounded) {
  const LeafGroups groups{4, true};
  const HostSums sums{groups, {6, 0, 6}, {0, 6}};
  EXPECT_TRUE(sums.is_rounded({0, 4}));
  EXPECT_TRUE(sums.is_rounded({4, 2})) << "the last group of the step is smaller";
  EXPECT_FALSE(sums.is_rounded({0, 3}));
  EXPECT_FALSE(sums.is_rounded({3, 1}));
  EXPECT_TRUE(sums.is_formed({0, 3}));
  EXPECT_FALSE(sums.is_formed({3, 1}));
}

TEST(HostSums, TheMostOfThemIsWhatTheLargestWaveHas) {
  const Neighborhoods hosts = Topology::on_hosts({4, 4}).hosts();
  const MostSums whole = most_sums({4}, 16, hosts, hosts[0]);
  EXPECT_EQ(whole.from_others, 1u);
  EXPECT_EQ(whole.formed, 1u);
  const MostSums single = most_sums({1}, 16, hosts, hosts[0]);
  EXPECT_EQ(single.from_others, 4u);
  EXPECT_EQ(single.formed, 0u);
  EXPECT_EQ(most_sums({3}, 16, hosts, hosts[0]).from_others, 3u) << "cut: 4 and 5, then 6 and 7";
}

TEST(LeafGroups, KnowWhetherAWaveCutsThem) {
  EXPECT_FALSE(LeafGroups{1}.cross_waves(1, 9));
  EXPECT_TRUE(LeafGroups{2}.cross_waves(1, 9));
  EXPECT_FALSE(LeafGroups{2}.cross_waves(4, 9));
  EXPECT_TRUE(LeafGroups{4}.cross_waves(6, 12));
  EXPECT_FALSE(LeafGroups{4}.cross_waves(12, 12)) << "one wave";
}

}  // namespace
}  // namespace ballast::fsdp
