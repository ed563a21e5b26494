#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/option_row.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"
#include "cli/same_options.hpp"
#include "cli/token_ids_option.hpp"
#include "comm/agree.hpp"
#include "storage/whole_file.hpp"
#include "train/offline/new_output.hpp"
#include "train/offline/score.hpp"
#include "train/settings/model_words.hpp"

namespace ballast::cli {

namespace {

using option_row::choice, option_row::whole, option_row::number, option_row::own_to_a_rank,
    option_row::required, option_row::text, option_row::word;

constexpr HelpText kHelp{
    .usage =
        "mpirun -n RANKS ballast score --checkpoint PATH (--tokens IDS | --prompt TEXT | "
        "--data FILE) [OPTIONS]",
    .about =
        "Prints the log-probability, in nats, that a model gives each token after those before "
        "it:\none JSON line for a text, or one for each window of a dataset, in order.",
    .examples =
        "  mpirun -n 2 ballast score --checkpoint models/llama --tokens '1 450 4996'\n"
        "  mpirun -n 2 ballast score --checkpoint runs/first --data corpus.h5 --output "
        "scores.jsonl\n"};

constexpr Limits kTokens{1, 1u << 24};
constexpr Limits kTop{0, 256};  // 8 bytes each, for every token that is scored at a time

/// What is scored, and the file that gets the lines; none: standard output does.
struct ScoreRequest {
  train::ScoreOptions score = {};
  std::filesystem::path output = {};
};

std::vector<Option> options_for(ScoreRequest& request) {
  train::ScoreOptions& o = request.score;
  Option data = word("data", "FILE", o.data, "a dataset with the same tokenizer");
  return {required(word("checkpoint", "PATH", o.checkpoint,
                        "a checkpoint, a run directory for its newest one, a Hugging Face folder, "
                        "or a GGUF file")),
          token_ids("tokens", o.tokens, "the tokens of a text"),
          text("prompt", "TEXT", o.prompt, "a text, for the model's own tokenizer"),
          own_to_a_rank(data),
          choice("split", o.split, "which windows of --data"),
          whole("seq-len", o.seq_len, kTokens, "as it was trained, or 1024",
                "tokens of a window of --data"),
          whole("micro-batch", o.micro_batch, kTokens, "as it was trained, or 1",
                "windows of --data that pass through the model together"),
          whole("top", o.top, kTop, "the K most probable tokens of each place besides; 0: none"),
          choice("param", o.param, "as it was trained, or fp32", "the type that it computes with"),
          word("output", "FILE", request.output,
               "a new file for the lines, whole or not there at all; mpirun does not tell of a "
               "full disk behind standard output"),
          number("timeout-s", o.timeout_s, kAboveZero, "seconds that a rank waits for its peers")};
}

std::string help(const Terminal& terminal) {
  ScoreRequest defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

void require_one_text(const train::ScoreOptions& options) {
  const int given = static_cast<int>(!options.tokens.empty()) +
                    static_cast<int>(!options.prompt.empty()) +
                    static_cast<int>(!options.data.empty());
  if (given != 1) {
    throw usage_error("score takes one of --tokens, --prompt and --data, and needs it");
  }
  const bool is_for_windows =
      options.seq_len || options.micro_batch || options.split != train::ScoreOptions{}.split;
  if (options.data.empty() && is_for_windows) {
    throw usage_error("--split, --seq-len and --micro-batch are for the windows of --data");
  }
}

ExitCode run(comm::Communicator& world, Arguments arguments) {
  ScoreRequest request;
  read_command_line(world, arguments, options_for(request));
  comm::agree(world, "command line", [&] { require_one_text(request.score); });
  std::optional<storage::WholeFile> file;  // rank 0's, if one is asked for
  comm::agree(world, "output", [&] {
    if (!world.is_root() || request.output.empty()) return;
    train::require_new_file(request.output);
    file.emplace(request.output);
  });
  train::score(world, request.score, [&](std::string_view line) {
    if (file) return file->write(line);
    std::fwrite(line.data(), 1, line.size(), stdout);
    flush_output();  // ends the work if the disk is full
  });
  comm::agree(world, "output", [&] {
    if (file) file->deliver();
  });
  return ExitCode::ok;
}

}  // namespace

Command score_command() {
  return {"score", "print log-probabilities of a text's tokens", help, ParallelRun{run}};
}

}  // namespace ballast::cli
