#pragma once

#include <cstddef>
#include <string>

#include "fsdp/mesh.hpp"
#include "fsdp/policy.hpp"
#include "fsdp/topology.hpp"

namespace ballast::fsdp {

/// How bytes get from rank to rank.
///   none: nothing moves, since a rank has all that it reads;
///   region: all ranks of the host can read them where they are;
///   messages: MPI;
///   hosts: MPI between hosts, and the ranks of a host read what comes in where it is.
enum class Transport { none, region, messages, hosts };

struct Transports {
  Transport weights = Transport::none;
  Transport gradients = Transport::none;
  Topology topology = {};  ///< the hosts that they connect
};

/// The transports that a policy means on the hosts of a job. Usage Errors name keys that contradict
/// one another, or a region that would span hosts.
[[nodiscard]] Transports choose_transports(const Policy& policy, const Mesh& mesh,
                                           const Topology& topology);

/// Units that are gathered ahead where nobody says how many: one over several hosts. Within a host
/// nothing is on its way.
[[nodiscard]] std::size_t default_prefetch_units(const Topology& topology);

/// For the log: the mode and the backend in effect, in words.
[[nodiscard]] std::string describe(const Policy& policy, const Mesh& mesh,
                                   const Transports& transports);

}  // namespace ballast::fsdp
