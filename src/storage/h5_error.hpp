#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"

namespace ballast::storage {

/// Why the last call of HDF5 failed: its innermost words, or the system's own where HDF5 wraps
/// them. The next call to the library forgets it.
[[nodiscard]] std::string h5_reason();

/// with_context for what is done often and fails rarely: `where()` makes the text only then.
template <class Where, class Work>
auto with_late_context(const Where& where, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error{error.code(), fmt::format("{}: {}", where(), error.what())};
  }
}

}  // namespace ballast::storage
