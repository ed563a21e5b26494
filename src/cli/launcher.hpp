#pragma once

#include <optional>
#include <string>

namespace ballast::cli {

/// The rank that the launcher (mpirun, srun) told this process, before MPI is initialised; nothing
/// when it was started by hand. Serves messages and the decision to bring MPI up, never the work.
[[nodiscard]] std::optional<int> launcher_rank();

/// How many processes a launcher said, before MPI was initialised, that it started together.
struct LaunchedJob {
  std::string said_by;  ///< the variable: "PMI_SIZE"
  int size = 1;
  int rank = 0;  ///< of this process among them
};

/// What the environment tells of that; nothing where no launcher speaks of it.
[[nodiscard]] std::optional<LaunchedJob> launched_job();

/// What is wrong, and what to do, if MPI then found `world_size` processes: empty if it fits. It
/// does not where the program was started by another MPI's mpirun, or by srun without its plug-in:
/// then each process believes to be alone.
[[nodiscard]] std::string launch_problem(const std::optional<LaunchedJob>& job, int world_size);

}  // namespace ballast::cli
