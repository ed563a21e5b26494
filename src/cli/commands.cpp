#include "cli/commands.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

#include "base/text.hpp"

namespace ballast::cli {

namespace {

std::size_t word_count(const Command& command) {
  return 1 + static_cast<std::size_t>(std::ranges::count(command.name, ' '));
}

std::string joined(Arguments words) { return fmt::format("{}", fmt::join(words, " ")); }

}  // namespace

std::span<const Command> commands() {
  static const std::array kCommands{
      prepare_command(), train_command(),           eval_command(),
      score_command(),   generate_command(),        inspect_command(),
      export_command(),  import_command(),          report_command(),
      tune_command(),    monitor_profile_command(), monitor_calibrate_command()};
  return kCommands;
}

const Command* find_command(Arguments words) {
  for (const auto& command : commands()) {
    if (joined(words.first(std::min(word_count(command), words.size()))) == command.name) {
      return &command;
    }
  }
  return nullptr;
}

Arguments arguments_of(const Command& command, Arguments words) {
  return words.subspan(word_count(command));
}

Error unknown_command(Arguments words) {
  if (words.empty()) return usage_error("no command given; 'ballast --help' lists the commands");
  std::vector<std::string> names;
  std::vector<std::string> longer;
  for (const auto& command : commands()) {
    names.emplace_back(command.name);
    if (command.name.starts_with(words.front() + " ")) longer.emplace_back(command.name);
  }
  if (!longer.empty()) {
    return usage_error("'ballast {}' is not complete; there is 'ballast {}'", words.front(),
                       fmt::join(longer, "' and 'ballast "));
  }
  const std::string near = nearest(words.front(), names);
  const std::string hint = near.empty() ? "" : fmt::format("did you mean '{}'? ", near);
  return usage_error("unknown command '{}'; {}'ballast --help' lists the commands",
                     excerpt(words.front()), hint);
}

std::string program_help(const Terminal& terminal) {
  std::string help = bold("usage:", terminal) + " ballast COMMAND [OPTIONS]\n\n" +
                     "Trains Llama-style language models, fully sharded over the ranks of an MPI "
                     "job.\n\n" +
                     bold("commands:", terminal) + "\n";
  for (const auto& command : commands()) {
    help += fmt::format("  {:<18}{}\n", command.name, command.summary);
  }
  help += "\n" + bold("options:", terminal) +
          "\n  --help     this text; after a command, its options\n"
          "  --version  versions of this program and its libraries\n\n" +
          bold("examples:", terminal) +
          "\n  ballast prepare corpus.txt --output corpus.h5\n"
          "  mpirun -n 2 ballast train --data.path corpus.h5 --run.dir runs/first\n"
          "  ballast generate --checkpoint runs/first --prompt \"In the beginning\"\n";
  return help;
}

}  // namespace ballast::cli
