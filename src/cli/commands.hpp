#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "cli/command_line.hpp"
#include "cli/terminal.hpp"
#include "comm/communicator.hpp"

namespace ballast::cli {

/// A command that one process does; under a launcher rank 0 does it and the others stand by.
using SerialRun = ExitCode (*)(Arguments);
/// A command that all ranks do together.
using ParallelRun = ExitCode (*)(comm::Communicator& world, Arguments);
using Run = std::variant<SerialRun, ParallelRun>;
/// A command whose arguments decide which of the two it is.
using RunChoice = Run (*)(Arguments);

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string (*help)(const Terminal&);
  std::variant<SerialRun, ParallelRun, RunChoice> run;
};

[[nodiscard]] Command prepare_command();
[[nodiscard]] Command train_command();
[[nodiscard]] Command eval_command();
[[nodiscard]] Command generate_command();
[[nodiscard]] Command inspect_command();
[[nodiscard]] Command tune_command();
[[nodiscard]] Command report_command();

/// All commands, in the order in which a newcomer meets them.
[[nodiscard]] std::span<const Command> commands();

/// The command of that name, or nullptr.
[[nodiscard]] const Command* find_command(const std::string& name);

/// The usage Error for a name that no command has, with the nearest one.
[[nodiscard]] Error unknown_command(const std::string& name);

/// What `ballast --help` prints.
[[nodiscard]] std::string program_help(const Terminal& terminal);

}  // namespace ballast::cli
