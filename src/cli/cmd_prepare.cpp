#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/option_row.hpp"
#include "base/team.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/prepare_summary.hpp"
#include "cli/progress_line.hpp"
#include "data/prepare.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"

namespace ballast::cli {

namespace {

using option_row::choice, option_row::flag, option_row::number, option_row::required,
    option_row::whole, option_row::word, option_row::words;

constexpr Limits kThreads{1, Team::kMostWorkers};

constexpr HelpText kHelp{
    .usage = "ballast prepare INPUT... --output FILE [OPTIONS]",
    .about =
        "Turns text into one HDF5 dataset of tokens, split into training and validation.\n"
        "Inputs are files, folders, globs, or - for standard input: text, a document a file, or "
        "JSON\nlines, a document a line: {\"text\": \"...\", \"weight\": 0.5}; or token ids that "
        "another program\nmade, as JSON lines: {\"ids\": [1, 2, 3]}. Compressed and binary files "
        "are "
        "refused.",
    .examples =
        "  ballast prepare corpus.txt --output corpus.h5\n"
        "  ballast prepare 'docs/*.txt' --tokenizer sentencepiece:2048 --split documents "
        "--output docs.h5\n"
        "  zcat chats.jsonl.gz | ballast prepare - --output chats.h5 --split documents\n"
        "  ballast prepare tokens.jsonl --tokenizer ids:32000 --output tokens.h5\n"};

/// \n, \t and \\ as a line's end, a tab and a backslash; nothing where another letter follows.
std::optional<std::string> unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    const char letter = ++i < text.size() ? text[i] : ' ';
    if (letter != 'n' && letter != 't' && letter != '\\') return std::nullopt;
    result += letter == 'n' ? '\n' : letter == 't' ? '\t' : '\\';
  }
  return result;
}

Option join_option(std::optional<std::string>& join) {
  Option option{.name = "join",
                .value_name = "TEXT",
                .takes = "a text in which \\n is a line's end, \\t a tab and \\\\ a backslash",
                .help = "put TEXT between documents instead of marking them; it may be empty"};
  option.set = [&join](const std::string& text) {
    const auto value = unescaped(text);
    if (value) join = value;
    return value.has_value();
  };
  option.get = [&join] { return join; };
  return option;
}

std::vector<Option> options_for(data::PrepareOptions& o) {
  Option field = word("field", "NAME", o.field, "the key of a JSON line's text or token ids");
  field.fallback = "text, or ids with --tokenizer ids:VOCAB";
  return {
      required(words("input", "PATH...", o.inputs, "files, folders, globs, or -")),
      required(word("output", "FILE", o.output, "the dataset to write")),
      word(
          "tokenizer", "bytes|bpe:VOCAB|sentencepiece:VOCAB|ids:VOCAB|PATH", o.tokenizer,
          "bytes; or one trained on the inputs, of VOCAB tokens; or ids below VOCAB, taken as they "
          "are; or the one of a Hugging Face folder, a tokenizer.json, a tokenizer.model or a GGUF "
          "file"),
      choice(
          "split", o.split,
          "held out: each 20th block of 16 KiB (of 4,096 token ids), the end of the text, or each "
          "20th document"),
      number("validation-fraction", o.validation_fraction, kPart, "part held out by --split tail"),
      choice("format", o.format,
             "what the inputs are; auto: by name and content; text: whatever the bytes are"),
      field,
      choice("bad-lines", o.bad_lines,
             "JSON lines that cannot be used: end there, or pass over and count them"),
      flag("documents", o.mark_documents,
           "begin each document with <bos> even if there is only one; several are marked anyway"),
      join_option(o.join),
      whole("threads", o.threads, kThreads, "one for each processor",
            "threads that encode; the dataset does not depend on it"),
  };
}

std::string help(const Terminal& terminal) {
  data::PrepareOptions defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(Arguments arguments) {
  data::PrepareOptions options;
  options.read_tokenizer = formats::tokenizer_files_at;
  read_command_line(arguments, options_for(options), "input");
  const Stopwatch watch;
  const data::PrepareSummary summary = [&] {
    ProgressLine line{"prepare", detect_terminal()};
    return data::prepare(options,
                         [&](std::uint64_t done, std::uint64_t total) { line.show(done, total); });
  }();
  print_summary(options, summary, watch.elapsed_s());
  warn_of_empty_splits(options, summary);
  return ExitCode::ok;
}

}  // namespace

Command prepare_command() {
  return {"prepare", "turn text into a dataset of tokens", help, SerialRun{run}};
}

}  // namespace ballast::cli
