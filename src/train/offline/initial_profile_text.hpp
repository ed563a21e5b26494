#pragma once

#include <string>

#include "train/offline/initial_profile.hpp"

namespace ballast::train {

/// For people: a row a block, means and maxima over blocks, and what to think of it.
[[nodiscard]] std::string to_table(const InitialProfile& profile);

/// For programs: the same numbers and all eigenvalues, keys as in monitor.jsonl. Lists run over
/// blocks, or over depths (one more); what is not finite or not there is null.
[[nodiscard]] std::string to_json(const InitialProfile& profile);

}  // namespace ballast::train
