#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/option_row.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"
#include "cli/token_ids_option.hpp"
#include "train/offline/generate.hpp"

namespace ballast::cli {

namespace {

using option_row::number, option_row::required, option_row::text, option_row::whole,
    option_row::word;

constexpr HelpText kHelp{
    .usage = "ballast generate --checkpoint PATH [OPTIONS]",
    .about =
        "Continues a prompt, piece by piece as the model writes it. A model whose tokenizer is "
        "not\n"
        "known here takes and writes token ids.",
    .examples =
        "  ballast generate --checkpoint runs/first --prompt \"In the beginning\"\n"
        "  echo \"In the beginning\" | ballast generate --checkpoint runs/first "
        "--prompt - --temperature 0\n"
        "  ballast generate --checkpoint models/llama --prompt-ids '1 450 4996' --tokens 64\n"};

constexpr Limits kTokens{1, 1u << 24};

std::vector<Option> options_for(train::GenerateOptions& o) {
  return {
      required(word("checkpoint", "PATH", o.checkpoint,
                    "a checkpoint, a run directory for its newest one, a Hugging Face folder, or a "
                    "GGUF file")),
      text("prompt", "TEXT", o.prompt, "what to continue; - reads it from standard input"),
      token_ids("prompt-ids", o.prompt_ids, "the tokens to continue, instead of --prompt"),
      whole("tokens", o.tokens, kTokens, "how many tokens to write"),
      whole("context", o.context, kTokens, "as it was trained, or the model's up to 2048",
            "tokens that it looks back at"),
      number("temperature", o.rule.temperature, kZeroOrMore,
             "sampling temperature; 0: always the likeliest token"),
      whole("top-k", o.rule.top_k, {}, "draw from the K likeliest tokens; 0: from all"),
      number("top-p", o.rule.top_p, kUpToOne,
             "draw from the likeliest tokens that hold this share of the probability"),
      whole("seed", o.seed, {}, "seed of the draws"),
  };
}

std::string help(const Terminal& terminal) {
  train::GenerateOptions defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

std::string read_standard_input() {
  return {std::istreambuf_iterator<char>{std::cin}, std::istreambuf_iterator<char>{}};
}

void write(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

ExitCode run(Arguments arguments) {
  train::GenerateOptions options;
  read_command_line(arguments, options_for(options));
  if (options.prompt == "-") options.prompt = read_standard_input();
  if (!options.prompt.empty() && !options.prompt_ids.empty()) {
    throw usage_error("--prompt and --prompt-ids are two ways to begin: choose one");
  }
  train::generate(options, [](std::string_view piece) {
    write(piece);
    flush_output();  // ends the work if the disk is full
  });
  write("\n");
  return ExitCode::ok;
}

}  // namespace

Command generate_command() {
  return {"generate", "continue a prompt with a trained model", help, SerialRun{run}};
}

}  // namespace ballast::cli
