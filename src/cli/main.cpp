#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "cli/commands.hpp"
#include "cli/launcher.hpp"
#include "cli/output.hpp"
#include "cli/run_in_job.hpp"
#include "cli/same_options.hpp"
#include "cli/version.hpp"
#include "comm/same.hpp"

namespace ballast::cli {
namespace {

ExitCode print_once(const std::string& text) {
  if (launcher_rank().value_or(0) == 0) std::fputs(text.c_str(), stdout);
  return ExitCode::ok;
}

bool asks_for_help(const std::string& word) { return word == "--help" || word == "-h"; }

/// Work that all ranks begin together: refused where the launcher and MPI count them differently,
/// or where another program or command runs on one of them. `what` is the command, in words.
ExitCode run_together(int& argc, char**& argv, const std::string& what,
                      const std::function<ExitCode(comm::Communicator&)>& work) {
  const auto launched = launched_job();
  return run_in_job(argc, argv, [&](comm::Communicator& world) {
    if (const auto problem = launch_problem(launched, world.size()); !problem.empty()) {
      if (launched->rank != 0) return ExitCode::usage;  // each is alone, one message is enough
      throw usage_error("{}", problem);
    }
    comm::require_same(world, {{"program", program_version()}}, ExitCode::data,
                       "install the same program on all hosts");
    comm::require_same(world, {{"command", what}}, ExitCode::usage, kStartAlike);
    return work(world);
  });
}

/// Work for one process. Under a launcher it is rank 0's, and MPI is brought up only so that all
/// ranks end together.
ExitCode run_serial(int& argc, char**& argv, const std::string& what,
                    const std::function<ExitCode()>& work) {
  if (!launcher_rank()) return run_alone(work);
  return run_together(argc, argv, what + " in one process", [&](comm::Communicator& world) {
    if (world.is_root()) return work();
    world.set_timeout_s(std::numeric_limits<double>::infinity());
    return ExitCode::ok;
  });
}

Run run_of(const Command& command, Arguments arguments) {
  if (const auto* const choose = std::get_if<RunChoice>(&command.run)) return (*choose)(arguments);
  if (const auto* const serial = std::get_if<SerialRun>(&command.run)) return *serial;
  return std::get<ParallelRun>(command.run);
}

ExitCode run(int& argc, char**& argv, const std::vector<std::string>& words) {
  const std::string first = words.empty() ? std::string{} : words.front();
  if (asks_for_help(first)) return print_once(program_help(detect_terminal()));
  if (first == "--version") return print_once(version_text());
  const Command* const command = find_command(words);
  if (command == nullptr) {
    return run_serial(argc, argv, first, [&]() -> ExitCode { throw unknown_command(words); });
  }
  const Arguments arguments = arguments_of(*command, words);
  if (std::any_of(arguments.begin(), arguments.end(), asks_for_help)) {
    return print_once(command->help(detect_terminal()));
  }
  const Run work = run_of(*command, arguments);
  if (const auto* const parallel = std::get_if<ParallelRun>(&work)) {
    return run_together(argc, argv, std::string{command->name},
                        [&](comm::Communicator& world) { return (*parallel)(world, arguments); });
  }
  if (const auto* const stoppable = std::get_if<StoppableRun>(&work)) {
    const StopSignal stop_signal;  // MPI takes a while to start, and to end
    return run_together(argc, argv, std::string{command->name}, [&](comm::Communicator& world) {
      return (*stoppable)(world, stop_signal, arguments);
    });
  }
  return run_serial(argc, argv, std::string{command->name},
                    [&] { return std::get<SerialRun>(work)(arguments); });
}

}  // namespace
}  // namespace ballast::cli

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    const ballast::ExitCode code = ballast::cli::run(argc, argv, words);
    // The command's own output comes first.
    if (code == ballast::ExitCode::ok) ballast::cli::flush_output();
    return static_cast<int>(code);
  } catch (const ballast::Error& error) {
    ballast::cli::print_error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    ballast::cli::print_error(error.what());
    const bool is_output = ballast::cli::output_failed();
    return static_cast<int>(is_output ? ballast::ExitCode::data : ballast::ExitCode::internal);
  }
}
