#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/option.hpp"

namespace ballast::cli {

/// A row that takes token ids, "15 0 7". `target` must outlive it.
[[nodiscard]] Option token_ids(std::string name, std::vector<std::int32_t>& target,
                               std::string help);

}  // namespace ballast::cli
