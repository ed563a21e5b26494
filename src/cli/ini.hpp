#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/assignment.hpp"

namespace ballast::cli {

/// Reads INI text: `[section]` lines, `key = value` lines, comments from a # that starts a line or
/// follows a space, and lines that a ; starts. A byte-order mark is passed over. A value with
/// spaces at its ends or with a # stands in double quotes, in which \" and \\ are a quote and a
/// backslash. `[optim]` and `lr` make the name optim.lr. Usage Errors name `file` and line.
/// (Boost's reader keeps no line numbers and cuts values at any #.)
[[nodiscard]] std::vector<Assignment> parse_ini(const std::string& text, std::string_view file);

/// A value as `parse_ini` reads it: in quotes where it needs them.
[[nodiscard]] std::string ini_value(const std::string& value);

}  // namespace ballast::cli
