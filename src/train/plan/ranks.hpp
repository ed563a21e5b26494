#pragma once

#include <cstddef>
#include <string>

#include "base/team.hpp"
#include "comm/communicator.hpp"
#include "fsdp/topology.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// The hosts of a job's ranks, and the threads of one of these ranks.
struct Ranks {
  fsdp::Topology topology;
  std::size_t rank = 0;    ///< the one that `thread_plan` belongs to
  ThreadPlan thread_plan;  ///< its threads and helpers; all ranks have as many
  std::string note;        ///< a line about them for the log, or a warning
};

/// Finds the hosts of the ranks and the processors that they may use, and decides parallel.threads
/// and parallel.helpers where these are auto. A program calls it once, at its start. Collective.
[[nodiscard]] Ranks settle_ranks(comm::Communicator& world, const ParallelConfig& requested);

/// What rank 0 of a job would find on hosts like this one. Needs no MPI.
[[nodiscard]] Ranks ranks_like_this_host(const ParallelConfig& requested, fsdp::Topology topology);

}  // namespace ballast::train
