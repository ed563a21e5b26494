#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <system_error>
#include <vector>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "data/dataset.hpp"

namespace ballast::cli {

namespace {

constexpr HelpText kHelp{.usage = "ballast inspect PATH",
                         .about = "Says what a dataset is made of.",
                         .examples = "  ballast inspect corpus.h5\n"};

std::vector<Option> options_for(std::filesystem::path& path) {
  return {required(word("path", "FILE", path, "a dataset"))};
}

ExitCode inspect_dataset(const std::filesystem::path& path) {
  const data::Dataset dataset{path};
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
  if (std::filesystem::is_directory(path, unreadable)) {
    throw data_error("{} is a folder, and a dataset is one file", path.string());
  }
  return inspect_dataset(path);
}

}  // namespace

Command inspect_command() {
  return {"inspect", "say what a dataset is made of", help, SerialRun{run}};
}

}  // namespace ballast::cli
