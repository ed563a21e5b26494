#include "fsdp/transport.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.hpp"

namespace ballast::fsdp {

namespace {

void check_reshard(const Policy& policy, const Mesh& mesh) {
  const std::size_t group = policy.reshard.group();
  if (group == 0) return;
  if (policy.sharding == Sharding::grad_op || policy.sharding == Sharding::none) {
    throw usage_error(
        "parallel.reshard_after_forward = {} contradicts parallel.sharding = {}, which keeps units "
        "gathered: set one of them back",
        group, name_of(policy.sharding));
  }
  if (mesh.shards % group != 0) {
    throw usage_error(
        "parallel.reshard_after_forward = {} does not divide the {} ranks that share the weights",
        group, mesh.shards);
  }
}

bool some_host_is_shared(const Topology& topology) {
  return std::ranges::any_of(topology.hosts(),
                             [](const comm::RankRange& host) { return host.count > 1; });
}

Transport weights_transport(const Policy& policy, const Mesh& mesh, const Topology& topology) {
  if (mesh.shards == 1) return Transport::none;
  if (policy.backend == Backend::mpi) return Transport::messages;
  for (std::size_t first = 0; first < mesh.ranks(); first += mesh.shards) {
    if (topology.share_a_host(first, mesh.shards)) continue;
    if (policy.backend == Backend::automatic) {
      return some_host_is_shared(topology) ? Transport::hosts : Transport::messages;
    }
    throw usage_error(
        "parallel.backend = region: ranks {} to {} share one copy of the weights, but not one "
        "host; set parallel.backend = mpi, or parallel.sharding = hybrid with shard_group = ranks "
        "a host",
        first, first + mesh.shards - 1);
  }
  return Transport::region;
}

/// A backend that the user named must be usable: nothing else is chosen without a message.
void check_region_serves(const Policy& policy, const Mesh& mesh, const Transports& transports) {
  if (policy.backend != Backend::region || mesh.ranks() == 1) return;
  if (transports.weights == Transport::region || transports.gradients == Transport::region) return;
  if (transports.gradients == Transport::hosts && some_host_is_shared(transports.topology)) return;
  throw usage_error(
      "parallel.backend = region has nothing to serve: with parallel.sharding = {} only gradients "
      "move, over hosts that share no memory; set parallel.backend = mpi",
      name_of(policy.sharding));
}

Transport gradients_transport(const Policy& policy, const Mesh& mesh, const Topology& topology) {
  if (mesh.ranks() == 1) return Transport::none;
  if (policy.backend == Backend::mpi) return Transport::messages;
  if (topology.share_a_host(0, mesh.ranks())) return Transport::region;
  return Transport::hosts;
}

}  // namespace

Transports choose_transports(const Policy& policy, const Mesh& mesh, const Topology& topology) {
  check_reshard(policy, mesh);
  const Transports transports{weights_transport(policy, mesh, topology),
                              gradients_transport(policy, mesh, topology), topology};
  check_region_serves(policy, mesh, transports);
  return transports;
}

std::size_t default_prefetch_units(const Topology& topology) {
  return topology.share_a_host(0, topology.ranks()) ? 0 : 1;
}

std::string describe(const Policy& policy, const Mesh& mesh, const Transports& transports) {
  std::string text = fmt::format("sharding {}", name_of(policy.sharding));
  if (mesh.replicas > 1 && mesh.shards > 1) {
    text += fmt::format(" ({} groups of {} ranks)", mesh.replicas, mesh.shards);
  }
  const auto name = [&](Transport transport) {
    if (transport == Transport::region) return "region";
    const bool both = transport == Transport::hosts && some_host_is_shared(transports.topology);
    return both ? "region and mpi" : "mpi";
  };
  if (transports.gradients == Transport::none) return text + ", backend none (one rank)";
  text += fmt::format(", backend {}", name(transports.gradients));
  if (transports.weights != Transport::none &&
      name(transports.weights) != std::string_view{name(transports.gradients)}) {
    text += fmt::format(" (weights: {})", name(transports.weights));
  }
  if (transports.weights == Transport::region) return text + ", one copy of the weights a host";
  if (transports.weights == Transport::none) return text + ", nothing to gather";
  if (transports.weights == Transport::hosts) text += ", units gathered once a host";
  const bool keeps = policy.sharding == Sharding::grad_op || policy.reshard.keeps_all();
  return text + fmt::format(", reshard_after_forward {}, prefetch_units {}",
                            keeps ? "false" : policy.reshard.name(), policy.prefetch_units);
}

}  // namespace ballast::fsdp
