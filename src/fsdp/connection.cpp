#include "fsdp/connection.hpp"

#include "base/narrow.hpp"

namespace ballast::fsdp {

namespace {

/// The rank, counted on this host, in whose part of the region this rank's weights are.
std::size_t first_of_group(const ShardLayout& layout, const comm::Communicator& node,
                           Transport weights) {
  const auto local = narrow<std::size_t>(node.rank());
  if (weights != Transport::region) return local;
  return local - (layout.rank() - layout.mesh().first_of_group(layout.rank()));
}

}  // namespace

Connection::Connection(comm::Communicator& world, const Policy& policy,
                       const Transports& transports, Memory& memory, ShardedParameters& parameters)
    : groups_{world, policy, parameters.layout().mesh(), transports} {
  memory.own.commit();
  if (groups_.has_node()) {
    auto& node = groups_.node();
    region_.emplace(
        node, memory.region_sizes(first_of_group(parameters.layout(), node, transports.weights)));
    memory.rooms.commit(region_->own_rooms());
    memory.weights.commit(region_->weights());
  }
  parameters.connect(groups_, region_ ? &*region_ : nullptr);
}

}  // namespace ballast::fsdp
