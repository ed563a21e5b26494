#pragma once

#include <cstddef>
#include <string>

#include "base/team.hpp"
#include "comm/communicator.hpp"
#include "fsdp/topology.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Where the ranks of a job are, and who works for one of them.
struct Ranks {
  fsdp::Topology topology;
  std::size_t rank = 0;  ///< the one that `crew` works for
  Crew crew;             ///< its threads and helpers; their numbers are those of all ranks
  std::string note;      ///< a line about them for the log; a warning where they take turns
};

/// Finds out where the ranks are and which processors they may use, and gives parallel.threads and
/// helpers their numbers where these are auto. A program asks once, as it starts. Collective.
[[nodiscard]] Ranks settle_ranks(comm::Communicator& world, const ParallelConfig& requested);

/// As rank 0 of a job would be whose ranks share hosts like this one. Needs no MPI.
[[nodiscard]] Ranks ranks_like_this_host(const ParallelConfig& requested, fsdp::Topology topology);

}  // namespace ballast::train
