#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace ballast::monitor {

/// JSON has no NaN and no infinities: null stands for them.
[[nodiscard]] inline nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

}  // namespace ballast::monitor
