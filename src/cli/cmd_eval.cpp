#include <fmt/format.h>
#include <string>
#include <vector>

#include "base/option_row.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/same_options.hpp"
#include "train/offline/evaluate.hpp"
#include "train/settings/model_words.hpp"

namespace ballast::cli {

namespace {

using option_row::choice, option_row::whole, option_row::number, option_row::own_to_a_rank,
    option_row::required, option_row::word;

constexpr HelpText kHelp{
    .usage = "mpirun -n RANKS ballast eval --checkpoint PATH [--data FILE]",
    .about = "Measures a checkpoint on the whole validation split of a dataset.",
    .examples = "  mpirun -n 2 ballast eval --checkpoint runs/first\n"};

constexpr Limits kTokens{1, 1u << 24};

std::vector<Option> options_for(train::EvalOptions& o) {
  Option data = word("data", "FILE", o.data, "a dataset with the same tokenizer");
  data.fallback = "the one it was trained on";
  return {required(word("checkpoint", "PATH", o.checkpoint,
                        "a checkpoint, a run directory for its newest one, a Hugging Face folder, "
                        "or a GGUF file")),
          own_to_a_rank(data),
          whole("seq-len", o.seq_len, kTokens, "as it was trained, or 1024",
                "tokens of a window of text"),
          whole("micro-batch", o.micro_batch, kTokens, "as it was trained, or 1",
                "windows that pass through the model together"),
          choice("param", o.param, "as it was trained, or fp32", "the type that it computes with"),
          number("timeout-s", o.timeout_s, kAboveZero, "seconds that a rank waits for its peers")};
}

std::string help(const Terminal& terminal) {
  train::EvalOptions defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(comm::Communicator& world, Arguments arguments) {
  train::EvalOptions options;
  read_command_line(world, arguments, options_for(options));
  const train::Evaluation found = train::evaluate(world, options);
  if (world.is_root()) {
    fmt::print("checkpoint {}{}\n", found.checkpoint.string(),
               found.step ? fmt::format(" (step {})", *found.step) : "");
    const auto& bits = found.held_out.bits_per_byte;
    fmt::print("held out: loss {:.6f} nats/token, {} bits/byte\n", found.held_out.loss,
               bits ? fmt::format("{:.4f}", *bits) : "-");
  }
  return ExitCode::ok;
}

}  // namespace

Command eval_command() {
  return {"eval", "measure a checkpoint on held-out text", help, ParallelRun{run}};
}

}  // namespace ballast::cli
