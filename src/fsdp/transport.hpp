#pragma once

#include <string>

#include "fsdp/mesh.hpp"
#include "fsdp/policy.hpp"
#include "fsdp/topology.hpp"

namespace ballast::fsdp {

/// How bytes get from rank to rank.
///   none: they need not, since a rank has all it reads;
///   region: they lie where everyone on the host can read them;
///   messages: MPI.
enum class Transport { none, region, messages };

struct Transports {
  Transport weights = Transport::none;
  Transport gradients = Transport::none;
};

/// What a policy comes to on a job. Usage Errors name the keys that contradict one another, or a
/// region that would have to reach over hosts.
[[nodiscard]] Transports choose_transports(const Policy& policy, const Mesh& mesh,
                                           const Topology& topology);

/// For the log: the mode and the backend in effect, in words.
[[nodiscard]] std::string describe(const Policy& policy, const Mesh& mesh,
                                   const Transports& transports);

}  // namespace ballast::fsdp
