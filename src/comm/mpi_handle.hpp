#pragma once

#include <exception>
#include <mpi.h>
#include <utility>

#include "comm/mpi_check.hpp"

namespace ballast::comm {

[[nodiscard]] inline bool mpi_is_finalized() {
  int finalized = 0;
  return MPI_Finalized(&finalized) != MPI_SUCCESS || finalized != 0;
}

/// The one owner of an MPI communicator. Move-only.
class MpiHandle {
 public:
  /// Takes over `handle`; its errors are returned from now on, not fatal.
  explicit MpiHandle(MPI_Comm handle) : handle_{handle} {
    mpi_check(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  }
  /// Frees the handle, except while an exception unwinds: freeing is collective, and the peers may
  /// never arrive.
  ~MpiHandle() {
    if (handle_ == MPI_COMM_NULL || mpi_is_finalized()) return;
    if (std::uncaught_exceptions() == 0) MPI_Comm_free(&handle_);
  }
  MpiHandle(MpiHandle&& other) noexcept : handle_{std::exchange(other.handle_, MPI_COMM_NULL)} {}
  MpiHandle& operator=(MpiHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  [[nodiscard]] MPI_Comm get() const { return handle_; }

 private:
  MPI_Comm handle_;
};

}  // namespace ballast::comm
