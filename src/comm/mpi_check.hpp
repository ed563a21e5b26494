#pragma once

#include <array>
#include <mpi.h>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace ballast::comm {

/// What MPI says about an error code.
[[nodiscard]] inline std::string mpi_error_text(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) {
    return fmt::format("unknown MPI error {}", code);
  }
  return text.data();
}

/// Throws an internal Error that names the MPI call if `code` is not MPI_SUCCESS. Every handle
/// returns its errors (MPI_ERRORS_RETURN), so that each call must be checked.
/// `file` and `line` are the caller's (not std::source_location, which clang 14 lacks).
inline void mpi_check(int code, std::string_view call, std::string_view file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  if (code == MPI_SUCCESS) return;
  file.remove_prefix(file.rfind('/') + 1);
  throw internal_error("{} failed ({}:{}): {}", call, file, line, mpi_error_text(code));
}

}  // namespace ballast::comm
