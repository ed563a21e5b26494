#include "cli/commands.hpp"

#include <array>
#include <vector>

#include "base/text.hpp"

namespace ballast::cli {

std::span<const Command> commands() {
  static const std::array kCommands{prepare_command(),  train_command(),   eval_command(),
                                    generate_command(), inspect_command(), report_command(),
                                    tune_command()};
  return kCommands;
}

const Command* find_command(const std::string& name) {
  for (const auto& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

Error unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  if (name.empty()) return usage_error("no command given; 'ballast --help' lists the commands");
  const std::string near = nearest(name, names);
  const std::string hint = near.empty() ? "" : fmt::format("did you mean '{}'? ", near);
  return usage_error("unknown command '{}'; {}'ballast --help' lists the commands", name, hint);
}

std::string program_help(const Terminal& terminal) {
  std::string help = bold("usage:", terminal) + " ballast COMMAND [OPTIONS]\n\n" +
                     "Trains Llama-style language models, fully sharded over the ranks of an MPI "
                     "job.\n\n" +
                     bold("commands:", terminal) + "\n";
  for (const auto& command : commands()) {
    help += fmt::format("  {:<10}{}\n", command.name, command.summary);
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
