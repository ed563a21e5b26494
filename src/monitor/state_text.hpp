#pragma once

#include <string>

#include "monitor/monitor.hpp"

namespace ballast::monitor {

/// As JSON, every number so that it reads back exactly.
[[nodiscard]] std::string to_json(const MonitorState& state);

/// Without what features are held against (`first` and the like) if it was written with other
/// features (another kFeatureVersion). Data Errors name `source`.
[[nodiscard]] MonitorState parse_state(const std::string& json, const std::string& source);

}  // namespace ballast::monitor
