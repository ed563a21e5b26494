#pragma once

#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace ballast::storage::h5 {

/// The Error for a file that contradicts itself; `how` says what is wrong, not where.
[[nodiscard]] inline Error damaged(std::string_view how) { return data_error("damaged: {}", how); }

/// The Error for a valid layout that this program never writes; `how` describes the difference.
[[nodiscard]] inline Error other_layout(std::string_view how) {
  return data_error("laid out in another way than ballast writes it: {}", how);
}

/// with_context for work that is done often and rarely fails: `where()` is called only on failure.
template <class Where, class Work>
decltype(auto) with_late_context(const Where& where, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error{error.code(), fmt::format("{}: {}", where(), error.what())};
  }
}

}  // namespace ballast::storage::h5
