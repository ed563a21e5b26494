#include "comm/runtime.hpp"

#include <array>
#include <cstdlib>
#include <exception>
#include <mpi.h>

#include "base/error.hpp"
#include "comm/mpi_check.hpp"

namespace ballast::comm {

namespace {

MPI_Comm duplicate_of_world() {
  MPI_Comm copy = MPI_COMM_NULL;
  mpi_check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
  return copy;
}

/// Settings that Open MPI reads when it starts. What the user has set stays.
void advise_open_mpi() {
  // Containers often lack the right to read another process's memory, and copying through shared
  // memory was measured to be as fast or faster.
  ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
  // By default the two directions of a TCP connection take turns (docs/adr/0030).
  ::setenv("OMPI_MCA_btl_tcp_flags", "send", 0);
}

}  // namespace

std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  mpi_check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  const std::string all{text.data(), static_cast<std::size_t>(length)};
  return all.substr(0, all.find_first_of(",\n"));
}

Runtime::Runtime(int& argc, char**& argv) {
  advise_open_mpi();
  int provided = MPI_THREAD_SINGLE;
  mpi_check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  mpi_check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  if (provided < MPI_THREAD_FUNNELED) {
    throw internal_error(
        "this MPI library allows no threads besides its own (MPI_THREAD_FUNNELED is needed)");
  }
  world_ = std::make_unique<Communicator>(Communicator{duplicate_of_world()}.ordered_by_host());
}

Runtime::~Runtime() {
  if (std::uncaught_exceptions() > 0) return;
  // MPI_Finalize waits for all ranks without a word; the barrier finds out who does not come.
  try {
    world_->barrier({"end of the job"});
  } catch (const std::exception&) {
    return;
  }
  world_.reset();
  MPI_Finalize();
}

void Runtime::abort(ExitCode code) {
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  ::_Exit(static_cast<int>(code));
}

}  // namespace ballast::comm
