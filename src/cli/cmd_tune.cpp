#include <fmt/format.h>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/same_options.hpp"
#include "cli/training_config.hpp"
#include "data/dataset.hpp"
#include "storage/files.hpp"
#include "train/measure/tune.hpp"

namespace ballast::cli {

namespace {

constexpr HelpText kHelp{
    .usage = "mpirun -n RANKS ballast tune [--config FILE] --output FILE [OPTIONS]",
    .about =
        "Races the matrix libraries over every product of a training step, all ranks at once, and\n"
        "writes which of them serves which: a table for run.gemm_table. Libraries differ in the\n"
        "last bits of their results, so the table is part of a training's numerics.",
    .examples =
        "  mpirun -n 2 ballast tune --config small.ini --output table.txt\n"
        "  mpirun -n 2 ballast train --config small.ini --run.gemm_table table.txt\n"};

std::string help(const Terminal& terminal) {
  TuneRequest defaults;
  return command_help(kHelp, tune_command_options(defaults), terminal);
}

void show(const train::Race& race) {
  const auto& call = race.call;
  std::string line = fmt::format("{:<8} {} {:>5} x {:>5} x {:>5} ", race.name, name_of(call.type),
                                 call.m, call.n, call.k);
  for (const auto& [library, rate] : race.entries) {
    line += fmt::format("  {}{} {:6.1f}", library == race.winner ? '*' : ' ', name_of(library),
                        rate * 1e-9);
  }
  fmt::print("{} GFLOP/s\n", line);
  std::fflush(stdout);
}

ExitCode tune_in_job(comm::Communicator& world, Arguments arguments) {
  const TuneRequest request = read_tune_request(world, arguments);
  request.config.validate_plan();
  const std::size_t vocabulary = data::Dataset{request.config.data.path}.info().vocabulary;
  const bool speaks = world.is_root();
  if (speaks)
    fmt::print("rates per rank, {} ranks at work, {} rounds\n", world.size(), request.rounds);
  const auto table =
      train::tune(world, request.config, vocabulary, request.rounds, [&](const train::Race& race) {
        if (speaks) show(race);
      });
  if (speaks) {
    storage::write_text_atomically(request.output, table.text());
    fmt::print("wrote {}: train with --run.gemm_table {}\n", request.output.string(),
               request.output.string());
  }
  return ExitCode::ok;
}

}  // namespace

Command tune_command() {
  return {"tune", "choose the fastest matrix library, product by product", help,
          ParallelRun{tune_in_job}};
}

}  // namespace ballast::cli
