#pragma once

#include <optional>

namespace ballast::cli {

/// The rank that the launcher (mpirun, srun) told this process, before MPI is initialised; nothing
/// when it was started by hand. Serves messages and the decision to bring MPI up, never the work.
[[nodiscard]] std::optional<int> launcher_rank();

}  // namespace ballast::cli
