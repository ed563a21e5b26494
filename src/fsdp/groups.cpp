#include "fsdp/groups.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"

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

namespace {

comm::Communicator make_group(comm::Communicator& world, const Topology& topology, const Mesh& mesh,
                              Group group) {
  const auto rank = checked_cast<std::size_t>(world.rank());
  switch (group) {
    case Group::gather:
      return world.split(checked_cast<int>(mesh.replica_of(rank)));
    case Group::replicas:
      return world.split(checked_cast<int>(mesh.shard_of(rank)));
    case Group::reduce:
      return world.split(0);
    case Group::node:
      return world.split(checked_cast<int>(topology.host_of[rank]));
  }
  throw internal_error("unknown group {}", static_cast<std::size_t>(group));
}

}  // namespace

Groups::Groups(comm::Communicator& world, const Topology& topology, const Mesh& mesh,
               const Needs& needs)
    : world_{&world} {
  for (std::size_t i = 0; i < kGroups; ++i) {
    const Group group{i};
    if (needs.has(group)) made_[i].emplace(make_group(world, topology, mesh, group));
  }
}

comm::Communicator& Groups::of(Group group) {
  const auto i = static_cast<std::size_t>(group);
  if (!made_[i]) throw internal_error("group {} was not among the needs", i);
  return *made_[i];
}

void Groups::set_step(std::uint64_t step) {
  world_->set_step(step);
  for (auto& group : made_) {
    if (group) group->set_step(step);
  }
}

comm::Timings Groups::take_timings() {
  comm::Timings total = world_->take_timings();
  for (auto& group : made_) {
    if (!group) continue;
    const comm::Timings timings = group->take_timings();
    total.work_s += timings.work_s;
    total.skew_s += timings.skew_s;
  }
  return total;
}

}  // namespace ballast::fsdp
