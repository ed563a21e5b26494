#pragma once

#include <string>

#include "train/offline/initial_profile.hpp"

namespace ballast::train {

/// A table for people: a row per block, means and maxima over blocks, and how to read them.
[[nodiscard]] std::string to_table(const InitialProfile& profile);

/// JSON for programs: the same numbers and all eigenvalues, with the keys of monitor.jsonl. Lists
/// run over blocks, or over depths (one more); a value that is not finite or missing is null.
[[nodiscard]] std::string to_json(const InitialProfile& profile);

}  // namespace ballast::train
