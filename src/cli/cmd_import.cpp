#include <fmt/format.h>
#include <string>
#include <vector>

#include "base/option_row.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/same_options.hpp"
#include "train/offline/import.hpp"

namespace ballast::cli {

namespace {

using option_row::number, option_row::required, option_row::word;

constexpr HelpText kHelp{
    .usage = "mpirun -n RANKS ballast import PATH --output CHECKPOINT",
    .about =
        "Makes a checkpoint of a Hugging Face folder or a GGUF file: its weights to the bit, at\n"
        "step 0. (run.init and eval take such a model as it is, too.)",
    .examples = "  mpirun -n 2 ballast import models/theirs --output models/theirs-ballast\n"};

std::vector<Option> options_for(train::ImportOptions& o) {
  return {
      required(word("model", "PATH", o.model,
                    "a Hugging Face folder, with safetensors, or a GGUF file")),
      required(word("output", "CHECKPOINT", o.output, "a folder that is not there yet, or empty")),
      number("timeout-s", o.timeout_s, kAboveZero, "seconds that a rank waits for its peers")};
}

std::string help(const Terminal& terminal) {
  train::ImportOptions defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(comm::Communicator& world, Arguments arguments) {
  train::ImportOptions options;
  read_command_line(world, arguments, options_for(options), "model");
  const train::Imported made = train::import_model(world, options);
  if (world.is_root()) {
    fmt::print("checkpoint {}: {} parameters, moments of zero, no dataset\n", made.folder.string(),
               with_thousands(made.parameters));
    fmt::print("state hash {}\n", made.hash.hex());
    fmt::print("tokenizer  {}\n", made.tokenizer);
    for (const std::string& key : made.ignored) fmt::print("warning    {}\n", key);
  }
  return ExitCode::ok;
}

}  // namespace

Command import_command() {
  return {"import", "make a checkpoint of a foreign model", help, ParallelRun{run}};
}

}  // namespace ballast::cli
