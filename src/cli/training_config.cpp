#include "cli/training_config.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "cli/ini.hpp"
#include "cli/options.hpp"

namespace ballast::cli {

namespace {

constexpr std::string_view kDryRun = "dry-run";
constexpr Limits kRanks{1, 1u << 16};

/// "4" or "1,2,4".
std::optional<std::vector<std::size_t>> parse_ranks(const std::string& text) {
  std::vector<std::size_t> ranks;
  std::istringstream words{text};
  for (std::string word; std::getline(words, word, ',');) {
    const auto number = parse_whole(word);
    if (!number || *number < kRanks.least || *number > kRanks.most) return std::nullopt;
    ranks.push_back(*number);
  }
  if (ranks.empty() || text.back() == ',') return std::nullopt;
  return ranks;
}

Option ranks_option(std::optional<std::vector<std::size_t>>& target) {
  Option option{.name = "ranks",
                .value_name = "N|N,N,...",
                .takes = fmt::format("whole numbers from {} to {}, with commas between them",
                                     kRanks.least, kRanks.most),
                .help = "dry run: the rank counts; one alone is shown class by class",
                .fallback = "1,2,4,8,16"};
  option.set = [&target](const std::string& text) {
    return (target = parse_ranks(text)).has_value();
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (!target) return std::nullopt;
    return fmt::format("{}", fmt::join(*target, ","));
  };
  return option;
}

std::vector<Option> own_options(TrainRequest& request) {
  return {
      word("config", "FILE", request.file,
           "INI file with any of the keys below; options override it"),
      flag(std::string{kDryRun}, request.is_dry,
           "print the memory that a training would take, and end; starts without mpirun and needs "
           "no run.dir"),
      ranks_option(request.ranks),
      whole("ranks-per-host", request.ranks_per_host, kRanks, "all", "dry run: ranks on one host"),
  };
}

}  // namespace

std::vector<Option> train_command_options(TrainRequest& request) {
  std::vector<Option> options = own_options(request);
  std::vector<Option> keys = training_options(request.config);
  std::move(keys.begin(), keys.end(), std::back_inserter(options));
  return options;
}

TrainRequest read_train_request(Arguments arguments, const ReadFile& read_file) {
  TrainRequest request;
  std::vector<Option> options = train_command_options(request);
  const auto keys = std::span{options}.subspan(own_options(request).size());
  const std::vector<Assignment> given = parse_command_line(arguments, options);
  assign(given, options);
  if (!request.file.empty()) {
    assign(parse_ini(read_file(request.file), request.file.string()), keys);
    assign(given, options);  // once more: options override the file
  }
  const auto& table = request.config.run.gemm_table;
  if (!table.empty()) {
    request.config.gemm_table = kernels::GemmTable::parse(read_file(table), table.string());
  }
  if (!request.is_dry && (request.ranks || request.ranks_per_host)) {
    throw usage_error(
        "--ranks and --ranks-per-host belong to --dry-run; mpirun says how many ranks train");
  }
  if (request.is_dry) {
    const auto dir = std::ranges::find(keys, "run.dir", &Option::name);
    dir->presence = Presence::optional;
  }
  require(keys);
  return request;
}

train::Config read_training_config(Arguments arguments, const ReadFile& read_file) {
  return read_train_request(arguments, read_file).config;
}

bool asks_for_dry_run(Arguments arguments) {
  return std::ranges::find(arguments, fmt::format("--{}", kDryRun)) != arguments.end();
}

}  // namespace ballast::cli
