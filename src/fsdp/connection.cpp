#include "fsdp/connection.hpp"

#include "base/checked_cast.hpp"

namespace ballast::fsdp {

namespace {

/// The rank, counted on this host, whose memory holds what this rank's group shares. A group that
/// shares memory is on one host.
std::size_t first_of_group(const ShardLayout& layout, const comm::Communicator& node,
                           const Needs& needs) {
  const auto local = checked_cast<std::size_t>(node.rank());
  if (planned_bytes(needs, Holders::first_of_group) == 0) return local;
  return local - (layout.rank() - layout.mesh().first_of_group(layout.rank()));
}

}  // namespace

Connection::Connection(comm::Communicator& world, const Policy& policy, Needs& needs,
                       ShardedParameters& parameters)
    : groups_{world, policy, parameters.layout().mesh(), needs} {
  needs.own.commit();
  if (!needs.region_parts().empty()) {
    auto& node = groups_.of(Group::node);
    region_.emplace(node, needs, first_of_group(parameters.layout(), node, needs));
  }
  parameters.connect(groups_, region_ ? &*region_ : nullptr);
}

}  // namespace ballast::fsdp
