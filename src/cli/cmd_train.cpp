#include <filesystem>
#include <fmt/format.h>
#include <string>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/resolved_config.hpp"
#include "cli/same_options.hpp"
#include "cli/text_sources.hpp"
#include "cli/training_config.hpp"
#include "cli/version.hpp"
#include "train/offline/export_run.hpp"
#include "train/plan/dry_run.hpp"
#include "train/train.hpp"

namespace ballast::cli {

namespace {

constexpr HelpText kHelp{
    .usage =
        "mpirun -n RANKS ballast train [--config FILE] [OPTIONS]\n"
        "       ballast train --dry-run [--ranks N] [--config FILE] [OPTIONS]",
    .about =
        "Trains a model, fully sharded over all ranks. Every key may stand in an INI file\n"
        "under its [section] or be an option.",
    .examples =
        "  mpirun -n 2 ballast train --data.path corpus.h5 --run.dir runs/first\n"
        "  mpirun -n 4 ballast train --config small.ini --optim.lr 1e-3 "
        "--checkpoint.resume true\n"
        "  ballast train --dry-run --config small.ini --ranks 64 --ranks-per-host 16\n"};

std::string help(const Terminal& terminal) {
  TrainRequest defaults;
  return command_help(kHelp, train_command_options(defaults), terminal);
}

/// What a run keeps of its configuration: whoever goes on with it, or exports a checkpoint, finds
/// run.init from any folder.
std::string kept_settings(train::Config config) {
  auto& init = config.run.init;
  if (!init.empty()) init = std::filesystem::absolute(init);
  return to_ini(config);
}

ExitCode train_in_job(comm::Communicator& world, const StopSignal& stop_signal,
                      Arguments arguments) {
  const train::Config config = read_train_request(world, arguments).config;
  const ExitCode code = train::train(world, stop_signal, config, kept_settings(config));
  if (code != ExitCode::ok) return code;
  const std::string exported = train::export_run(world, config, program_version());
  if (world.is_root() && !exported.empty()) fmt::print("{}\n", exported);
  return code;
}

ExitCode print_plan(Arguments arguments) {
  const TrainRequest request = read_train_request(arguments, own_texts());
  train::DryRun jobs{.ranks_per_host = request.ranks_per_host};
  if (request.ranks) jobs.ranks = *request.ranks;
  fmt::print("{}", train::dry_run(request.config, jobs));
  return ExitCode::ok;
}

Run choose_run(Arguments arguments) {
  if (asks_for_dry_run(arguments)) return SerialRun{print_plan};
  return StoppableRun{train_in_job};
}

}  // namespace

Command train_command() {
  return {"train", "train a model over the ranks of an MPI job", help, RunChoice{choose_run}};
}

}  // namespace ballast::cli
