#include "fsdp/connection.hpp"

#include <algorithm>

#include "fsdp/fetch_plan.hpp"

namespace ballast::fsdp {

namespace {

/// The rank, counted on this host, whose memory holds what the ranks of its group share here.
std::size_t first_of_group(const ShardLayout& layout, const Topology& topology) {
  const comm::RankRange host = neighborhood_of(topology.hosts(), layout.rank());
  return std::max(layout.mesh().first_of_group(layout.rank()), host.first) - host.first;
}

}  // namespace

Connection::Connection(comm::Communicator& world, const Topology& topology, Needs& needs,
                       ShardedParameters& parameters)
    : groups_{world, topology, parameters.layout().mesh(), needs} {
  needs.own.commit();
  if (!needs.region_parts().empty()) {
    region_.emplace(groups_.of(Group::node), needs, first_of_group(parameters.layout(), topology));
  }
  parameters.connect(groups_, region_ ? &*region_ : nullptr);
}

}  // namespace ballast::fsdp
