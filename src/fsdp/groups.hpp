#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "comm/communicator.hpp"
#include "fsdp/mesh.hpp"
#include "fsdp/needs.hpp"
#include "fsdp/topology.hpp"

namespace ballast::fsdp {

/// The hosts of a job's ranks. Collective.
[[nodiscard]] Topology discover_topology(comm::Communicator& world);

/// The communicators of a mesh.
class Groups {
 public:
  /// Makes those that are needed. Collective.
  Groups(comm::Communicator& world, const Topology& topology, const Mesh& mesh, const Needs& needs);

  [[nodiscard]] comm::Communicator& world() const { return *world_; }
  /// One that is needed; throws an internal Error for another.
  [[nodiscard]] comm::Communicator& of(Group group);

  /// The step that is under way, for messages of collectives that hang; from world().
  void set_step(std::uint64_t step);
  /// What communication took since the last call, over all groups.
  [[nodiscard]] comm::Timings take_timings();

 private:
  comm::Communicator* world_;
  std::array<std::optional<comm::Communicator>, kGroups> made_;
};

}  // namespace ballast::fsdp
