#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/stop_signal.hpp"
#include "cli/command_line.hpp"
#include "cli/terminal.hpp"
#include "comm/communicator.hpp"

namespace ballast::cli {

/// A command for one process; under a launcher rank 0 runs it and the others wait.
using SerialRun = ExitCode (*)(Arguments);
/// A command that all ranks run together.
using ParallelRun = ExitCode (*)(comm::Communicator& world, Arguments);
/// The same with a state that a signal must not destroy; other commands end at once on a signal.
using StoppableRun = ExitCode (*)(comm::Communicator& world, const StopSignal& stop_signal,
                                  Arguments);
using Run = std::variant<SerialRun, ParallelRun, StoppableRun>;
/// A command whose arguments decide which of these kinds it is.
using RunChoice = Run (*)(Arguments);

struct Command {
  std::string_view name;  ///< one word, or two: "monitor profile"
  std::string_view summary;
  std::string (*help)(const Terminal&);
  std::variant<SerialRun, ParallelRun, RunChoice> run;
};

[[nodiscard]] Command prepare_command();
[[nodiscard]] Command train_command();
[[nodiscard]] Command eval_command();
[[nodiscard]] Command score_command();
[[nodiscard]] Command generate_command();
[[nodiscard]] Command inspect_command();
[[nodiscard]] Command export_command();
[[nodiscard]] Command import_command();
[[nodiscard]] Command tune_command();
[[nodiscard]] Command report_command();
[[nodiscard]] Command monitor_profile_command();
[[nodiscard]] Command monitor_calibrate_command();

/// All commands, in the order in which a new user needs them.
[[nodiscard]] std::span<const Command> commands();

/// The command whose name `words` begin with, or nullptr.
[[nodiscard]] const Command* find_command(Arguments words);

/// What follows the name of `command` in `words`.
[[nodiscard]] Arguments arguments_of(const Command& command, Arguments words);

/// The usage Error for words that no command begins, with the nearest one.
[[nodiscard]] Error unknown_command(Arguments words);

/// What `ballast --help` prints.
[[nodiscard]] std::string program_help(const Terminal& terminal);

}  // namespace ballast::cli
