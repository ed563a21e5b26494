#pragma once

#include <string>
#include <string_view>

namespace ballast::comm {

/// Names a collective in the training, for the message if it hangs. It is the same on every rank:
/// message tags depend on it, so that ranks that disagree about the next collective stop with an
/// error that names it, instead of mixing their data.
struct Place {
  std::string_view what;          ///< e.g. "all_gather"
  std::string_view subject = {};  ///< e.g. "unit block.3"
};

/// "all_gather of unit block.3"
[[nodiscard]] std::string describe(const Place& place);

}  // namespace ballast::comm
