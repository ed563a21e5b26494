#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "data/content_pass.hpp"
#include "data/dataset.hpp"
#include "kernels/gemm_table.hpp"

namespace ballast::cli {

namespace {

constexpr HelpText kHelp{
    .usage = "ballast inspect PATH",
    .about = "Says what a dataset or a checkpoint is made of, and checks all of it.",
    .examples =
        "  ballast inspect corpus.h5\n"
        "  ballast inspect runs/quickstart\n"};

std::vector<Option> options_for(std::filesystem::path& path) {
  return {required(
      word("path", "PATH", path, "a dataset, a checkpoint, or a run directory: its newest"))};
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
  fmt::print("tokenizer          {}\n", info.tokenizer);
  fmt::print("tokenizer_hash     {}\n", info.tokenizer_hash);
  fmt::print("vocabulary         {}\n", info.vocabulary);
  fmt::print("train_tokens       {}\n", info.train_tokens);
  fmt::print("validation_tokens  {}\n", info.validation_tokens);
  fmt::print("raw_bytes          {} ({})\n", info.raw_bytes, human_bytes(info.raw_bytes));
  if (tokens > 0) {
    fmt::print("bytes_per_token    {:.3f}\n",
               static_cast<double>(info.raw_bytes) / static_cast<double>(tokens));
  }
  fmt::print("split_rule         {}\n", info.split_rule);
  fmt::print("loss_weights       {}\n", dataset.has_weights());
  fmt::print("content_hash       {}\n", info.content_hash);
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
  fmt::print("numerics           {}\n", manifest.numerics);
  fmt::print("gemm_table         {}\n", describe_table(manifest.gemm_table));
  fmt::print("state_hash         {}\n", manifest.state_hash.hex());
  for (const auto& [key, value] : manifest.identity) fmt::print("  {} = {}\n", key, value);
  return ExitCode::ok;
}

std::string help(const Terminal& terminal) {
  std::filesystem::path path;
  return command_help(kHelp, options_for(path), terminal);
}

ExitCode run(Arguments arguments) {
  std::filesystem::path path;
  read_command_line(arguments, options_for(path), "path");
  std::error_code unreadable;
  return std::filesystem::is_directory(path, unreadable) ? inspect_checkpoint(path)
                                                         : inspect_dataset(path);
}

}  // namespace

Command inspect_command() {
  return {"inspect", "say what a dataset or checkpoint is made of", help, SerialRun{run}};
}

}  // namespace ballast::cli
