#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "comm/communicator.hpp"

namespace ballast::comm {

/// Name and version of the MPI library: "Open MPI v4.1.4". Needs no Runtime.
[[nodiscard]] std::string mpi_version();

/// MPI for the lifetime of the process: initialized (MPI_THREAD_FUNNELED) by the constructor,
/// finalized by the destructor, except while an exception unwinds, when peers may never arrive.
/// Works without a launcher too: then the world has one rank.
class Runtime {
 public:
  Runtime(int& argc, char**& argv);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// All ranks of the job, those of a host side by side. MPI_COMM_WORLD, in which a launcher may
  /// have dealt them otherwise, has no name outside this folder; the ranks' names are its numbers.
  [[nodiscard]] Communicator& world() { return *world_; }

  /// Ends all ranks of the job at once, without waiting for any: for a rank that fails alone.
  [[noreturn]] static void abort(ExitCode code);

 private:
  std::unique_ptr<Communicator> world_;
};

}  // namespace ballast::comm
