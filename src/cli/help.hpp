#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/option.hpp"
#include "cli/terminal.hpp"

namespace ballast::cli {

/// The help of a command without its options.
struct HelpText {
  std::string_view usage;
  std::string_view about;
  std::string_view examples;
};

/// The help of one command: usage, purpose, options by section with limits and defaults, examples.
[[nodiscard]] std::string command_help(const HelpText& text, std::span<const Option> options,
                                       const Terminal& terminal);

}  // namespace ballast::cli
