#pragma once

#include <optional>

#include "fsdp/groups.hpp"
#include "fsdp/host_region.hpp"
#include "fsdp/sharded_parameters.hpp"

namespace ballast::fsdp {

/// Commits the memory of sharded parameters and connects them to those of the other ranks.
class Connection {
 public:
  /// Provides what `needs` says and connects `parameters`, which must both outlive the connection,
  /// to the ranks of `world`, which lie on hosts as `topology` says. Collective.
  Connection(comm::Communicator& world, const Topology& topology, Needs& needs,
             ShardedParameters& parameters);

  [[nodiscard]] Groups& groups() { return groups_; }

 private:
  Groups groups_;
  std::optional<HostRegion> region_;
};

}  // namespace ballast::fsdp
