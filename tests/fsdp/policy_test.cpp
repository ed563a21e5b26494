#include "fsdp/policy.hpp"

#include <gtest/gtest.h>
#include <string>

#include "base/error.hpp"
#include "fsdp/mesh.hpp"
#include "fsdp/transport.hpp"

namespace ballast::fsdp {
namespace {

/// The message of the usage Error that `work` throws.
template <class Work>
std::string usage_error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

Transports transports_of(const Policy& policy, const Topology& topology) {
  return choose_transports(policy, make_mesh(policy, topology.ranks()), topology);
}

const Topology kTwoHosts{{0, 0, 1, 1}};

TEST(Policy, ReshardIsReadBack) {
  for (const char* text : {"true", "false", "2", "17"}) {
    EXPECT_EQ(Reshard::parse(text).value().name(), text);
  }
}

TEST(Policy, AnythingElseIsNoReshard) {
  for (const char* text : {"", "yes", "0", "1", "-2", "2x", "1e3", "TRUE"}) {
    EXPECT_FALSE(Reshard::parse(text).has_value()) << text;
  }
}

TEST(Mesh, ModesOfSixRanks) {
  EXPECT_EQ(make_mesh({}, 6).shards, 6u);
  EXPECT_EQ(make_mesh({.sharding = Sharding::grad_op}, 6).shards, 6u);
  EXPECT_EQ(make_mesh({.sharding = Sharding::none}, 6).replicas, 6u);
  const Mesh hybrid = make_mesh({.sharding = Sharding::hybrid, .shard_group = 3}, 6);
  EXPECT_EQ(hybrid.shards, 3u);
  EXPECT_EQ(hybrid.replicas, 2u);
}

TEST(Mesh, GroupsThatMakeNoSenseAreRefusedByName) {
  const auto message = [](const Policy& policy) {
    return usage_error_of([&] { (void)make_mesh(policy, 6); });
  };
  EXPECT_NE(message({.sharding = Sharding::hybrid}).find("needs parallel.shard_group"),
            std::string::npos);
  EXPECT_NE(message({.sharding = Sharding::hybrid, .shard_group = 4}).find("does not divide the 6"),
            std::string::npos);
  EXPECT_NE(message({.shard_group = 3}).find("parallel.sharding = hybrid"), std::string::npos);
}

TEST(Transport, TheRegionServesWhereverItReaches) {
  const auto expect = [](const Policy& policy, const Topology& topology, Transport weights,
                         Transport gradients) {
    const Transports transports = transports_of(policy, topology);
    EXPECT_EQ(transports.weights, weights);
    EXPECT_EQ(transports.gradients, gradients);
  };
  const auto one_host = Topology::on_one_host(4);
  expect({}, one_host, Transport::region, Transport::region);
  expect({.backend = Backend::mpi}, one_host, Transport::messages, Transport::messages);
  expect({}, kTwoHosts, Transport::hosts, Transport::hosts);
  expect({.backend = Backend::mpi}, kTwoHosts, Transport::messages, Transport::messages);
  expect({}, Topology::on_hosts({1, 1}), Transport::messages, Transport::hosts);
  expect({}, Topology::on_one_host(1), Transport::none, Transport::none);
  expect({.sharding = Sharding::none}, one_host, Transport::none, Transport::region);
  expect({.sharding = Sharding::none}, kTwoHosts, Transport::none, Transport::hosts);
  const Policy hybrid{.sharding = Sharding::hybrid, .shard_group = 2};
  expect(hybrid, one_host, Transport::region, Transport::region);
  expect(hybrid, kTwoHosts, Transport::region, Transport::hosts);
}

TEST(Transport, ARegionOverHostsIsRefusedNotReplaced) {
  const auto message =
      usage_error_of([] { (void)transports_of({.backend = Backend::region}, kTwoHosts); });
  EXPECT_NE(message.find("ranks 0 to 3"), std::string::npos);
  EXPECT_NE(message.find("parallel.backend = mpi"), std::string::npos);
  const Policy hybrid{.sharding = Sharding::hybrid, .shard_group = 4, .backend = Backend::region};
  EXPECT_NE(usage_error_of([&] { (void)transports_of(hybrid, kTwoHosts); }).find("one host"),
            std::string::npos);
}

TEST(Transport, ContradictionsAreRefusedByName) {
  const auto message = [](const Policy& policy) {
    return usage_error_of([&] { (void)transports_of(policy, Topology::on_one_host(4)); });
  };
  for (const Sharding sharding : {Sharding::grad_op, Sharding::none}) {
    const auto text = message({.sharding = sharding, .reshard = Reshard::within(2)});
    EXPECT_NE(text.find("contradicts parallel.sharding"), std::string::npos);
  }
  EXPECT_NE(message({.reshard = Reshard::within(3)}).find("does not divide"), std::string::npos);
}

TEST(Transport, TheLogNamesModeAndBackend) {
  const auto words = [](const Policy& policy, const Topology& topology) {
    const Mesh mesh = make_mesh(policy, topology.ranks());
    return describe(policy, mesh, choose_transports(policy, mesh, topology));
  };
  EXPECT_EQ(words({}, Topology::on_one_host(4)),
            "sharding full, backend region, one copy of the weights a host");
  EXPECT_EQ(words({.backend = Backend::mpi, .prefetch_units = 2}, Topology::on_one_host(4)),
            "sharding full, backend mpi, reshard_after_forward true, prefetch_units 2");
  EXPECT_EQ(words({.sharding = Sharding::hybrid, .shard_group = 2}, kTwoHosts),
            "sharding hybrid (2 groups of 2 ranks), backend region and mpi (weights: region), one "
            "copy of the weights a host");
  EXPECT_EQ(words({}, kTwoHosts),
            "sharding full, backend region and mpi, units gathered once a host, "
            "reshard_after_forward true, prefetch_units 0");
  EXPECT_EQ(words({}, Topology::on_hosts({1, 1})),
            "sharding full, backend mpi, reshard_after_forward true, prefetch_units 0");
  EXPECT_EQ(words({.sharding = Sharding::none}, Topology::on_one_host(2)),
            "sharding none, backend region, nothing to gather");
}

}  // namespace
}  // namespace ballast::fsdp
