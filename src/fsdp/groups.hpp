#pragma once

#include <cstdint>
#include <optional>

#include "comm/communicator.hpp"
#include "fsdp/mesh.hpp"
#include "fsdp/policy.hpp"
#include "fsdp/topology.hpp"
#include "fsdp/transport.hpp"

namespace ballast::fsdp {

/// The hosts of a job's ranks. Collective.
[[nodiscard]] Topology discover_topology(comm::Communicator& world);

/// The communicators of a mesh.
class Groups {
 public:
  /// Makes those that `transports` and the policy need. Collective.
  Groups(comm::Communicator& world, const Policy& policy, const Mesh& mesh,
         const Transports& transports);

  [[nodiscard]] comm::Communicator& world() const { return *world_; }
  /// The ranks that hold the shards of one copy of the weights.
  [[nodiscard]] comm::Communicator& shard() { return shard_ ? *shard_ : *world_; }
  /// The ranks that hold the same shard: without replicas this one alone.
  [[nodiscard]] comm::Communicator& replicas() { return replicas_ ? *replicas_ : *world_; }
  /// The ranks of this host.
  [[nodiscard]] comm::Communicator& node() { return *node_; }
  /// Whether node() was made: a transport needs it.
  [[nodiscard]] bool has_node() const { return node_.has_value(); }
  /// The ranks that together keep one copy after a unit's forward (Reshard::within).
  [[nodiscard]] comm::Communicator& reshard() { return *reshard_; }

  /// The step that is under way, for messages of collectives that hang; from world().
  void set_step(std::uint64_t step);
  /// What communication took since the last call, over all groups.
  [[nodiscard]] comm::Timings take_timings();

 private:
  template <class Act>
  void for_each(Act&& act);

  comm::Communicator* world_;
  std::optional<comm::Communicator> shard_, replicas_, node_, reshard_;
};

}  // namespace ballast::fsdp
