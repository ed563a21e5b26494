#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "fsdp/topology.hpp"

namespace ballast::train {

/// The processors that this process may run on.
[[nodiscard]] std::vector<std::size_t> allowed_processors();

/// One line for the log: how ranks and processors go together, and why a rank is one thread; a
/// warning where some host has fewer processors for its ranks than ranks, so that they take turns.
[[nodiscard]] std::string describe_binding(
    const fsdp::Topology& topology, const std::vector<std::vector<std::size_t>>& processors_of);

/// allowed_processors of every rank. Collective.
[[nodiscard]] std::vector<std::vector<std::size_t>> gather_processors(comm::Communicator& world);

}  // namespace ballast::train
