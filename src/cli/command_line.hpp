#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/assignment.hpp"

namespace ballast::cli {

using Arguments = std::span<const std::string>;

/// Reads `--name value` and `--name=value` (never abbreviated). Arguments without a name go to the
/// option called `positional`, or are refused when that is empty. Usage Errors.
[[nodiscard]] std::vector<Assignment> parse_command_line(Arguments arguments,
                                                         std::span<const Option> options,
                                                         const std::string& positional = {});

/// All steps for a command without a configuration file: parse, assign, check required options.
void read_command_line(Arguments arguments, std::span<const Option> options,
                       const std::string& positional = {});

}  // namespace ballast::cli
