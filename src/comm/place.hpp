#pragma once

#include <string>
#include <string_view>

namespace ballast::comm {

/// Where a collective stands in the training, for the message of the one that hangs. The same on
/// every rank: the tags of the messages tell places apart, so that ranks which disagree about what
/// comes next stop with names instead of mixing their data.
struct Place {
  std::string_view what;          ///< e.g. "all_gather"
  std::string_view subject = {};  ///< e.g. "unit block.3"
};

/// "all_gather of unit block.3"
[[nodiscard]] std::string describe(const Place& place);

}  // namespace ballast::comm
