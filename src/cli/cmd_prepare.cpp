#include <fmt/format.h>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/progress_line.hpp"
#include "data/prepare.hpp"

namespace ballast::cli {

namespace {

using data::SplitRule;

constexpr HelpText kHelp{
    .usage = "ballast prepare INPUT... --output FILE [OPTIONS]",
    .about =
        "Turns text into one HDF5 dataset of tokens, split into training and validation.\n"
        "Inputs are files, folders, globs, or - for standard input.",
    .examples =
        "  ballast prepare corpus.txt --output corpus.h5\n"
        "  ballast prepare 'docs/*.txt' --tokenizer sentencepiece:2048 --split documents "
        "--output docs.h5\n"};

std::vector<Option> options_for(data::PrepareOptions& o) {
  return {
      required(words("input", "PATH...", o.inputs, "files, folders, globs, or -")),
      required(word("output", "FILE", o.output, "the dataset to write")),
      word("tokenizer", "bytes|sentencepiece:VOCAB|FILE", o.tokenizer,
           "bytes; or a SentencePiece model, trained with VOCAB pieces or read from FILE"),
      choice("split", o.split,
             {{"blocks", SplitRule::blocks},
              {"tail", SplitRule::tail},
              {"documents", SplitRule::documents}},
             "held out: each 20th block of 16 KiB, the end of the text, or each 20th document"),
      number("validation-fraction", o.validation_fraction, kPart, "part held out by --split tail"),
      flag("documents", o.mark_documents, "mark where documents begin"),
  };
}

void print_summary(const data::PrepareOptions& options, const data::PrepareSummary& summary,
                   double elapsed_s) {
  fmt::print("{}: {} from {} {} in {}\n", options.output.string(), human_bytes(summary.raw_bytes),
             with_thousands(summary.sources), summary.sources == 1 ? "source" : "sources",
             human_duration(elapsed_s));
  fmt::print("  train       {} tokens\n", with_thousands(summary.train_tokens));
  fmt::print("  validation  {} tokens\n", with_thousands(summary.validation_tokens));
  fmt::print("  vocabulary  {}\n", with_thousands(summary.vocabulary));
}

std::string help(const Terminal& terminal) {
  data::PrepareOptions defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(Arguments arguments) {
  data::PrepareOptions options;
  read_command_line(arguments, options_for(options), "input");
  const Stopwatch watch;
  const data::PrepareSummary summary = [&] {
    ProgressLine line{"prepare", detect_terminal()};
    return data::prepare(options,
                         [&](std::uint64_t done, std::uint64_t total) { line.show(done, total); });
  }();
  print_summary(options, summary, watch.elapsed_s());
  return ExitCode::ok;
}

}  // namespace

Command prepare_command() {
  return {"prepare", "turn text into a dataset of tokens", help, SerialRun{run}};
}

}  // namespace ballast::cli
