#include "fsdp/fetch_plan.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>

#include "base/error.hpp"
#include "fsdp/topology.hpp"

namespace ballast::fsdp {
namespace {

const std::vector<std::vector<std::size_t>> kHosts{{1},    {4},       {1, 1},    {2, 2},
                                                   {3, 1}, {1, 5, 2}, {4, 4, 4}, {7, 3, 1, 6}};

TEST(FetchPlan, EveryPartEntersEveryHostOnce) {
  for (const auto& ranks_of : kHosts) {
    const Neighborhoods hosts = Topology::on_hosts(ranks_of).hosts();
    for (const comm::RankRange& host : hosts) {
      std::vector<std::size_t> brought;
      for (std::size_t rank = host.first; rank < host.end(); ++rank) {
        for (const std::size_t peer : plan_fetch(hosts, rank).receives) brought.push_back(peer);
      }
      std::ranges::sort(brought);
      std::vector<std::size_t> expected;
      for (std::size_t rank = 0; rank < hosts.back().end(); ++rank) {
        if (!host.contains(rank)) expected.push_back(rank);
      }
      EXPECT_EQ(brought, expected);
    }
  }
}

TEST(FetchPlan, WhatOneSendsAnotherReceives) {
  for (const auto& ranks_of : kHosts) {
    const Neighborhoods hosts = Topology::on_hosts(ranks_of).hosts();
    std::map<std::pair<std::size_t, std::size_t>, int> ways;  // of a part, from and to
    for (std::size_t rank = 0; rank < hosts.back().end(); ++rank) {
      const FetchPlan plan = plan_fetch(hosts, rank);
      EXPECT_EQ(plan.sends.size(), hosts.size() - 1);
      for (const std::size_t peer : plan.sends) ++ways[{rank, peer}];
      for (const std::size_t peer : plan.receives) --ways[{peer, rank}];
    }
    for (const auto& [way, balance] : ways) EXPECT_EQ(balance, 0);
  }
}

TEST(FetchPlan, TheRanksOfAHostShareTheWork) {
  for (const auto& ranks_of : kHosts) {
    const Neighborhoods hosts = Topology::on_hosts(ranks_of).hosts();
    for (const comm::RankRange& host : hosts) {
      std::size_t least = SIZE_MAX;
      std::size_t most = 0;
      for (std::size_t rank = host.first; rank < host.end(); ++rank) {
        const std::size_t parts = plan_fetch(hosts, rank).receives.size();
        least = std::min(least, parts);
        most = std::max(most, parts);
      }
      EXPECT_LE(most - least, hosts.size() - 1) << "one more from each other host, at most";
    }
  }
}

TEST(FetchPlan, RanksOfEqualHostsTalkToThoseOfTheirNumber) {
  const FetchPlan plan = plan_fetch(Topology::on_hosts({3, 3, 3}).hosts(), 4);
  EXPECT_EQ(plan.receives, (std::vector<std::size_t>{1, 7}));
  EXPECT_EQ(plan.sends, (std::vector<std::size_t>{1, 7}));
}

TEST(Neighborhoods, AreCutWhereAGroupEnds) {
  const Neighborhoods hosts = Topology::on_hosts({2, 3, 2}).hosts();
  EXPECT_EQ(within(hosts, {1, 3}), (Neighborhoods{{1, 1}, {2, 2}}));
  EXPECT_EQ(within(hosts, {0, 7}), hosts);
  EXPECT_EQ(neighborhood_of(hosts, 4), (comm::RankRange{2, 3}));
  EXPECT_THROW((void)neighborhood_of(hosts, 7), Error);
  EXPECT_EQ(each_alone(2), (Neighborhoods{{0, 1}, {1, 1}}));
}

}  // namespace
}  // namespace ballast::fsdp
