#include <filesystem>
#include <string>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/training_config.hpp"
#include "storage/files.hpp"
#include "train/trainer.hpp"

namespace ballast::cli {

namespace {

constexpr HelpText kHelp{
    .usage = "mpirun -n RANKS ballast train [--config FILE] [OPTIONS]",
    .about =
        "Trains a model, fully sharded over all ranks. Every key may stand in an INI file\n"
        "under its [section] or be an option.",
    .examples =
        "  mpirun -n 2 ballast train --data.path corpus.h5 --run.dir runs/first\n"
        "  mpirun -n 4 ballast train --config small.ini --optim.lr 1e-3 "
        "--checkpoint.resume true\n"};

std::string help(const Terminal& terminal) {
  std::filesystem::path file;
  train::Config defaults;
  return command_help(kHelp, train_command_options(file, defaults), terminal);
}

/// Rank 0 reads the file for all, so that every rank trains by the same text, whatever its host
/// has under that name.
std::string read_on_root(comm::Communicator& world, const std::filesystem::path& path) {
  std::string reply;
  if (world.is_root()) {
    try {
      reply = "+" + storage::read_text(path);
    } catch (const Error& error) {
      reply = std::string{"-"} + error.what();
    }
  }
  reply = world.broadcast_text(reply, 0, {"broadcast", "configuration file"});
  if (reply.front() == '-') throw usage_error("{}", reply.substr(1));
  return reply.substr(1);
}

ExitCode run(comm::Communicator& world, Arguments arguments) {
  const train::Config config = read_training_config(
      arguments, [&](const std::filesystem::path& path) { return read_on_root(world, path); });
  config.validate();
  return train::train(world, config, to_ini(config));
}

}  // namespace

Command train_command() {
  return {"train", "train a model over the ranks of an MPI job", help, ParallelRun{run}};
}

}  // namespace ballast::cli
