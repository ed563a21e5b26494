#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "comm/communicator.hpp"

namespace ballast::comm {

/// Something that must be the same on every rank, as text without NULs.
struct Fact {
  std::string name;   ///< "optim.lr", or what a file is: "dataset"
  std::string value;  ///< what is compared: "0.0003", or a hash
  /// Shown beside the value, never compared: a host may keep the same file elsewhere.
  std::string where = {};
};
using Facts = std::vector<Fact>;

/// The facts in which `own` differs from `root`, as a text: "optim.lr: LABEL has 0.0003, LABEL has
/// 0.001; ...", or "". A fact that one side lacks is "nothing". At most 8 are named.
[[nodiscard]] std::string differences(const Facts& root, const std::string& root_label,
                                      const Facts& own, const std::string& own_label);

/// Compares every rank's facts with those of rank 0. If one differs, every rank throws the same
/// Error of `code`, which names fact, value, rank and host on both sides and ends with `advice`.
/// Collective.
void require_same(Communicator& world, const Facts& own, ExitCode code, std::string_view advice);

}  // namespace ballast::comm
