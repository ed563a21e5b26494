#pragma once

#include <string>

#include "monitor/monitor.hpp"

namespace ballast::monitor {

/// Whether a record has all eigenvalues of all blocks, for pictures.
enum class Eigenvalues { no, yes };

/// A line of monitor.jsonl. Lists run over blocks, or over depths (one more). Numbers that are not
/// finite, and what a block without a spectrum has not, are null.
[[nodiscard]] std::string to_json(const Probe& probe, Eigenvalues eigenvalues);

}  // namespace ballast::monitor
