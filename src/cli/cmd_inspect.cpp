#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/hash.hpp"
#include "base/option_row.hpp"
#include "base/text.hpp"
#include "checkpoint/check.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/folders.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/inspect_folder.hpp"
#include "cli/inspect_gguf.hpp"
#include "data/content_pass.hpp"
#include "data/dataset.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "train/start/read_foreign.hpp"

namespace ballast::cli {

namespace {

using option_row::flag, option_row::required, option_row::word;

constexpr HelpText kHelp{
    .usage = "ballast inspect PATH [--verify]",
    .about =
        "Says what a dataset, a checkpoint, a Hugging Face folder or a GGUF file is made of, and\n"
        "checks it: all of it, of a folder or a GGUF file every header.",
    .examples =
        "  ballast inspect corpus.h5\n"
        "  ballast inspect runs/quickstart\n"
        "  ballast inspect models/llama\n"
        "  ballast inspect --verify runs/quickstart\n"};

/// The most bytes that are quoted from a file of unknown origin; a path is not longer.
constexpr std::size_t kLongText = 4096;

struct InspectOptions {
  std::filesystem::path path;
  bool verify = false;
};

std::vector<Option> options_for(InspectOptions& o) {
  return {
      required(word("path", "PATH", o.path,
                    "a dataset, a checkpoint, a run directory: its newest, a Hugging Face folder, "
                    "or a GGUF file")),
      flag(
          "verify", o.verify,
          "read every checkpoint of a run directory and say which are whole; exit code 3 if one is "
          "not"),
  };
}

/// Reads all of it: every block against its hash, every token and weight, and the content hash.
void verify(const data::Dataset& dataset) {
  for (std::size_t block = 0; block < dataset.blocks(); ++block) dataset.verify_block(block);
  data::ContentPass content{dataset};
  const std::size_t pieces = content.pieces();
  for (std::size_t piece = 0; piece < pieces; ++piece) content.take_next();
  content.require_same_content();
}

ExitCode inspect_dataset(const std::filesystem::path& path) {
  const data::Dataset dataset{path};
  verify(dataset);
  const data::DatasetInfo& info = dataset.info();
  const std::uint64_t tokens = info.train_tokens + info.validation_tokens;
  fmt::print("dataset            {}\n", path.string());
  fmt::print("format_version     {}\n", info.format_version);
  fmt::print("tokenizer          {}\n", excerpt(info.tokenizer));
  fmt::print("tokenizer_hash     {}\n", excerpt(info.tokenizer_hash));
  fmt::print("vocabulary         {}\n", info.vocabulary);
  fmt::print("train_tokens       {}\n", info.train_tokens);
  fmt::print("validation_tokens  {}\n", info.validation_tokens);
  if (info.raw_bytes > 0) {
    fmt::print("raw_bytes          {} ({})\n", info.raw_bytes, human_bytes(info.raw_bytes));
  }
  if (tokens > 0 && info.raw_bytes > 0) {
    fmt::print("bytes_per_token    {:.3f}\n",
               static_cast<double>(info.raw_bytes) / static_cast<double>(tokens));
  }
  fmt::print("split_rule         {}\n", excerpt(info.split_rule, kLongText));
  fmt::print("loss_weights       {}\n", dataset.has_weights());
  fmt::print("content_hash       {}\n", excerpt(info.content_hash));
  fmt::print("verified           every token{}\n",
             dataset.blocks() > 0 ? fmt::format(", and {} blocks of 1 MiB", dataset.blocks()) : "");
  return ExitCode::ok;
}

/// Which library served which product, as the line of a checkpoint says it.
std::string describe_table(const std::string& rules) {
  if (rules.empty() || rules == kernels::GemmTable::shipped().rules_text()) return "shipped";
  return fmt::format("{} rules, hash {}", std::ranges::count(rules, '\n'),
                     hash_of(std::span{rules}).hex().substr(0, 8));
}

/// Checks every file against the manifest, then says what it tells.
ExitCode inspect_checkpoint(const std::filesystem::path& path) {
  const auto folder = checkpoint::find_checkpoint(path);
  const auto manifest = checkpoint::Manifest::read(folder);
  checkpoint::verify_files(manifest, folder);
  std::uint64_t bytes = 0;
  for (const auto& file : manifest.files) bytes += file.bytes;
  std::uint64_t parameters = 0;
  for (const auto& tensor : manifest.tensors) {
    std::uint64_t numel = 1;
    for (const std::uint64_t extent : tensor.shape) numel *= extent;
    parameters += numel;
  }
  fmt::print("checkpoint         {}\n", folder.string());
  fmt::print("step               {}\n", manifest.state.step);
  fmt::print("updates            {}\n", manifest.state.optimizer_steps);
  fmt::print("samples            {}\n", manifest.state.cursor);
  fmt::print("tokens             {}\n", manifest.state.tokens);
  fmt::print("parameters         {} in {} tensors\n", parameters, manifest.tensors.size());
  fmt::print("files              {} ({}), all whole\n", manifest.files.size(), human_bytes(bytes));
  fmt::print("numerics           {}\n", excerpt(manifest.numerics, kLongText));
  fmt::print("gemm_table         {}\n", describe_table(manifest.gemm_table));
  fmt::print("state_hash         {}\n", manifest.state_hash.hex());
  for (const auto& [key, value] : manifest.identity) {
    fmt::print("  {} = {}\n", excerpt(key), excerpt(value, kLongText));
  }
  return ExitCode::ok;
}

/// What is wrong with a checkpoint; empty if it is whole.
std::string damage_of(const std::filesystem::path& folder) {
  try {
    checkpoint::verify_files(checkpoint::Manifest::read(folder), folder);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

/// Reads all checkpoints of a run, from the newest on.
ExitCode verify_run(const std::filesystem::path& run_dir) {
  const auto folders = checkpoint::newest_first(run_dir);
  if (folders.empty()) throw data_error("'{}' holds no checkpoint", run_dir.string());
  ExitCode code = ExitCode::ok;
  for (const auto& folder : folders) {
    const std::string damage = damage_of(folder);
    const std::string name = folder.filename().string();
    fmt::print("{:<18} {}\n", name, damage.empty() ? "whole" : "damaged: " + damage);
    std::fflush(stdout);  // reading takes a while
    if (!damage.empty()) code = ExitCode::data;
  }
  return code;
}

std::string help(const Terminal& terminal) {
  InspectOptions defaults;
  return command_help(kHelp, options_for(defaults), terminal);
}

ExitCode run(Arguments arguments) {
  InspectOptions options;
  read_command_line(arguments, options_for(options), "path");
  const auto& path = options.path;
  std::error_code unreadable;
  if (formats::is_gguf_file(path)) {
    inspect_gguf(path);
    return ExitCode::ok;
  }
  if (!std::filesystem::is_directory(path, unreadable)) return inspect_dataset(path);
  if (train::is_foreign_folder(path)) {
    inspect_folder(path);
    return ExitCode::ok;
  }
  const bool is_run = !std::filesystem::exists(path / checkpoint::kManifestName, unreadable);
  return options.verify && is_run ? verify_run(path) : inspect_checkpoint(path);
}

}  // namespace

Command inspect_command() {
  return {"inspect", "say what a dataset, checkpoint, folder or GGUF file is made of", help,
          SerialRun{run}};
}

}  // namespace ballast::cli
