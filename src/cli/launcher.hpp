#pragma once

#include <optional>
#include <string>

namespace ballast::cli {

/// The rank that the launcher (mpirun, srun) gave this process, before MPI is initialized; nothing
/// if it was started by hand. For messages and for the decision to start MPI, never for the work.
[[nodiscard]] std::optional<int> launcher_rank();

/// The number of processes that a launcher started together, as it states before MPI starts.
struct LaunchedJob {
  std::string said_by;  ///< the variable: "PMI_SIZE"
  int size = 1;
  int rank = 0;  ///< of this process among them
};

/// The same from the environment; nothing if no launcher states it.
[[nodiscard]] std::optional<LaunchedJob> launched_job();

/// What is wrong, and what to do, if MPI then finds `world_size` processes; empty if this fits. It
/// does not fit if another MPI's mpirun started the program, or srun without its plug-in: then each
/// process takes itself for the only one.
[[nodiscard]] std::string launch_problem(const std::optional<LaunchedJob>& job, int world_size);

}  // namespace ballast::cli
