#pragma once

#include <optional>
#include <string>

#include "monitor/monitor.hpp"

namespace ballast::monitor {

/// As JSON, every number so that it reads back exactly.
[[nodiscard]] std::string to_json(const MonitorState& state);

/// Nothing if it was written with other features (another kFeatureVersion). Data Errors name
/// `source`.
[[nodiscard]] std::optional<MonitorState> parse_state(const std::string& json,
                                                      const std::string& source);

}  // namespace ballast::monitor
