#include "fsdp/groups.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/narrow.hpp"

namespace ballast::fsdp {

Topology discover_topology(comm::Communicator& world) {
  const comm::Communicator node = world.split_by_node();
  const auto first_of_host =
      world.gather_texts(fmt::format("{} {}", node.host(0), node.name(0)), {"gather of hosts"});
  std::vector<std::string> hosts;
  Topology topology;
  for (const auto& host : first_of_host) {
    const auto found = std::ranges::find(hosts, host);
    topology.host_of.push_back(static_cast<std::size_t>(found - hosts.begin()));
    if (found == hosts.end()) hosts.push_back(host);
  }
  return topology;
}

Groups::Groups(comm::Communicator& world, const Policy& policy, const Mesh& mesh,
               const Transports& transports)
    : world_{&world} {
  const auto rank = narrow<std::size_t>(world.rank());
  const auto split = [&](std::size_t color) { return world.split(narrow<int>(color)); };
  if (mesh.replicas > 1) {
    shard_.emplace(split(mesh.replica_of(rank)));
    replicas_.emplace(split(mesh.shard_of(rank)));
  }
  if (transports.weights == Transport::region || transports.gradients == Transport::region) {
    node_.emplace(world.split_by_node());
  }
  if (policy.reshard.group() != 0 && transports.weights == Transport::messages) {
    reshard_.emplace(split(rank / policy.reshard.group()));
  }
}

template <class Act>
void Groups::for_each(Act&& act) {
  for (auto* group : {&shard_, &replicas_, &node_, &reshard_}) {
    if (*group) act(**group);
  }
}

void Groups::set_step(std::uint64_t step) {
  world_->set_step(step);
  for_each([&](comm::Communicator& group) { group.set_step(step); });
}

comm::Timings Groups::take_timings() {
  comm::Timings total = world_->take_timings();
  for_each([&](comm::Communicator& group) {
    const comm::Timings timings = group.take_timings();
    total.work_s += timings.work_s;
    total.skew_s += timings.skew_s;
  });
  return total;
}

}  // namespace ballast::fsdp
