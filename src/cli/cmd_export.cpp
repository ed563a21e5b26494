#include <fmt/format.h>
#include <string>
#include <vector>

#include "base/option_row.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/same_options.hpp"
#include "cli/version.hpp"
#include "formats/gguf/blocks/file_type.hpp"
#include "train/offline/export.hpp"
#include "train/offline/importance.hpp"

namespace ballast::cli {

namespace {

using option_row::choice, option_row::whole, option_row::number, option_row::required,
    option_row::word;

constexpr HelpText kHelp{
    .usage = "mpirun -n RANKS ballast export --checkpoint PATH --output PATH [OPTIONS]",
    .about =
        "Writes a model for other programs: a Hugging Face folder that transformers reads, or a\n"
        "GGUF file that llama.cpp reads.\n"
        "Weights pass from disk to disk; no rank holds more than a few MiB of them, except where\n"
        "--calibrate has the model read text first: then each rank holds its shard.",
    .examples =
        "  mpirun -n 2 ballast export --checkpoint runs/first --output models/first\n"
        "  mpirun -n 2 ballast export --checkpoint models/theirs --output models/narrow "
        "--dtype bf16\n"
        "  mpirun -n 2 ballast export --checkpoint runs/first --format gguf --dtype q8_0 "
        "--output first.gguf\n"
        "  mpirun -n 2 ballast export --checkpoint runs/first --format gguf --dtype q4_k_m "
        "\\\n    --calibrate corpus.h5 --output small.gguf\n"};

constexpr Limits kBytes{1, std::uint64_t{1} << 50};
constexpr Limits kWindows{1, 1u << 24};

std::string file_types() {
  std::string all;
  for (const auto& row : names<formats::GgufFileType>()) {
    all += fmt::format("{}{}", all.empty() ? "" : ", ", row.word);
  }
  return all;
}

std::vector<Option> options_for(train::ExportOptions& o) {
  Option tokenizer =
      word("tokenizer", "FOLDER", o.tokenizer, "whose tokenizer goes along, byte for byte");
  tokenizer.fallback = "the one it was trained with, where it is known";
  Option dtype = word("dtype", "TYPE", o.dtype,
                      "what the weights are rounded to: fp32, bf16 or fp16 in a folder; " +
                          file_types() + " in a GGUF file");
  dtype.fallback = "fp32 of a checkpoint, or as they are stored";
  Option calibrate = word("calibrate", "FILE", o.calibrate,
                          "of a GGUF file: a dataset with the model's tokens, whose training text "
                          "says which errors of rounding matter (llama.cpp: importance matrix)");
  calibrate.fallback = "all matter alike";
  return {
      required(word("checkpoint", "PATH", o.checkpoint,
                    "a checkpoint, a run directory for its newest one, a Hugging Face folder, or a "
                    "GGUF file")),
      required(word("output", "PATH", o.output,
                    "a folder that is not there yet, or empty; a GGUF file that is not there yet")),
      choice("format", o.format, {train::ExportFormat::hf, train::ExportFormat::gguf},
             "hf: a Hugging Face folder; gguf: a file of llama.cpp"),
      dtype,
      calibrate,
      whole("calibrate-windows", o.calibrate_windows, kWindows,
            fmt::format("{} tokens", with_thousands(train::kCalibrationTokens)),
            "windows of the text, each as long as in the training, or 1,024 tokens"),
      whole("shard-bytes", o.shard_bytes, kBytes,
            "of a folder: bytes of the tensors of one file; more make several files and an index"),
      tokenizer,
      number("timeout-s", o.timeout_s, kAboveZero, "seconds that a rank waits for its peers")};
}

std::string help(const Terminal& terminal) {
  train::ExportOptions defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(comm::Communicator& world, Arguments arguments) {
  train::ExportOptions options;
  read_command_line(world, arguments, options_for(options));
  options.program = program_version();
  const train::Exported made = train::export_model(world, options);
  if (world.is_root()) {
    fmt::print("exported   {}\n", made.source.string());
    fmt::print("to         {}: {}, {} parameters in {}, {} file(s), {}\n", made.output.string(),
               made.architecture, with_thousands(made.parameters), made.dtype, made.files,
               human_bytes(made.bytes));
    if (!made.importance.empty()) fmt::print("calibrated {}\n", made.importance);
    fmt::print("tokenizer  {}\n", made.tokenizer);
  }
  return ExitCode::ok;
}

}  // namespace

Command export_command() {
  return {"export", "write a model for other programs", help, ParallelRun{run}};
}

}  // namespace ballast::cli
