#pragma once

#include <string>

namespace ballast::storage::h5 {

/// Why the last call of HDF5 failed: its innermost message, or the system's own if it contains
/// one. The next call to the library forgets it.
[[nodiscard]] std::string reason_of_library();

}  // namespace ballast::storage::h5
