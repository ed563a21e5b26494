#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "comm/communicator.hpp"

namespace ballast::cli {

/// Runs `work` in this process alone; an Error becomes its message and exit code.
[[nodiscard]] ExitCode run_alone(const std::function<ExitCode()>& work);

/// Runs `work` on every rank of the job, between MPI's initialization and finalization. An Error is
/// expected on all ranks: rank 0 prints it, and all finalize and return its exit code. (A process
/// that ended without finalizing would end the others before rank 0 has printed.) Any other
/// exception, or an Error that the other ranks do not share, ends this process.
[[nodiscard]] ExitCode run_in_job(int& argc, char**& argv,
                                  const std::function<ExitCode(comm::Communicator&)>& work);

}  // namespace ballast::cli
