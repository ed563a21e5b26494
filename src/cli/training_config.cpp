#include "cli/training_config.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/option_row.hpp"
#include "cli/ini.hpp"
#include "train/plan/dry_run.hpp"
#include "train/settings/keys.hpp"

namespace ballast::cli {

namespace {

using option_row::flag, option_row::required, option_row::whole, option_row::word;

constexpr std::string_view kDryRun = "dry-run";
constexpr Limits kRanks{1, 1u << 16};

/// "4" or "1,2,4".
std::optional<std::vector<std::size_t>> parse_ranks(const std::string& text) {
  std::vector<std::size_t> ranks;
  std::istringstream words{text};
  for (std::string word; std::getline(words, word, ',');) {
    const auto number = option_row::parse_whole(word);
    if (!number || *number < kRanks.least || *number > kRanks.most) return std::nullopt;
    ranks.push_back(*number);
  }
  if (ranks.empty() || text.back() == ',') return std::nullopt;
  return ranks;
}

std::string words_of_ranks(const std::vector<std::size_t>& ranks) {
  return fmt::format("{}", fmt::join(ranks, ","));
}

Option ranks_option(std::optional<std::vector<std::size_t>>& target) {
  Option option{.name = "ranks",
                .value_name = "N|N,N,...",
                .takes = fmt::format("whole numbers from {} to {}, with commas between them",
                                     kRanks.least, kRanks.most),
                .help = "dry run: the rank counts; one alone is shown class by class",
                .fallback = words_of_ranks(train::DryRun{}.ranks)};
  option.set = [&target](const std::string& text) {
    return (target = parse_ranks(text)).has_value();
  };
  option.get = [&target]() -> std::optional<std::string> {
    if (!target) return std::nullopt;
    return words_of_ranks(*target);
  };
  return option;
}

Option config_option(std::filesystem::path& file) {
  return word("config", "FILE", file, "INI file with any of the keys below; options override it");
}

std::vector<Option> own_options(TrainRequest& request) {
  return {
      config_option(request.file),
      flag(std::string{kDryRun}, request.is_dry,
           "print the memory that a training would take, and end; starts without mpirun and needs "
           "no run.dir"),
      ranks_option(request.ranks),
      whole("ranks-per-host", request.ranks_per_host, kRanks, "all", "dry run: ranks on one host"),
  };
}

std::vector<Option> own_options(TuneRequest& request) {
  return {
      config_option(request.file),
      required(word("output", "FILE", request.output, "file for the table")),
      whole("rounds", request.rounds, {1, 1000}, "races of each product; the median counts"),
  };
}

std::vector<Option> own_options(ProfileRequest& request) {
  Option output = word("output", "FILE", request.output, "file for all numbers, as JSON");
  output.fallback = "a table on standard output";
  return {config_option(request.file), output};
}

/// A command's own options, then every key.
template <class Request>
std::vector<Option> all_options(Request& request) {
  std::vector<Option> options = own_options(request);
  std::vector<Option> keys = train::key_options(request.config);
  std::move(keys.begin(), keys.end(), std::back_inserter(options));
  return options;
}

/// Gives the keys of [model] the values of a model that exists. A usage Error for one that was said
/// to be otherwise.
void take_model(std::span<const Assignment> model, std::span<const Assignment> said,
                std::span<const Option> keys) {
  for (const Assignment& theirs : model) {
    const auto option = std::ranges::find(keys, theirs.name, &Option::name);
    const auto was_said = std::ranges::find(said, theirs.name, &Assignment::name);
    const std::string before = option->get().value_or("");
    assign({&theirs, 1}, keys);
    const std::string now = option->get().value_or("");
    if (was_said == said.end() || before == now) continue;
    throw usage_error("{}{} = {} contradicts the model of run.init, where it is {}: leave it out",
                      was_said->where.empty() ? "" : was_said->where + ": ", theirs.name, before,
                      now);
  }
}

/// Defaults, then the file named by --config, then the options, and the table that they name.
/// Arguments without a name are as in parse_command_line. Returns the rows of the keys among
/// `options`.
template <class Request>
std::span<Option> read_all(Arguments arguments, const TextSources& texts, Request& request,
                           std::vector<Option>& options, const std::string& positional = {}) {
  const auto keys = std::span{options}.subspan(own_options(request).size());
  const std::vector<Assignment> given = parse_command_line(arguments, options, positional);
  assign(given, options);
  std::vector<Assignment> said = given;
  if (!request.file.empty()) {
    const auto in_file = parse_ini(texts.file(request.file), request.file.string());
    assign(in_file, keys);
    assign(given, options);  // once more: options override the file
    said.insert(said.begin(), in_file.begin(), in_file.end());
  }
  const auto& init = request.config.run.init;
  if (!init.empty()) take_model(parse_ini(texts.model(init), init.string()), said, keys);
  const auto& table = request.config.run.gemm_table;
  if (!table.empty()) {
    request.config.gemm_table = kernels::GemmTable::parse(texts.file(table), table.string());
  }
  const auto& calibration = request.config.monitor.calibration;
  if (!calibration.empty()) {
    request.config.calibration =
        monitor::Calibration::parse(texts.file(calibration), calibration.string());
  }
  return keys;
}

void make_optional(std::span<Option> options, std::string_view name) {
  std::ranges::find(options, name, &Option::name)->presence = Presence::optional;
}

}  // namespace

std::vector<Option> train_command_options(TrainRequest& request) { return all_options(request); }
std::vector<Option> tune_command_options(TuneRequest& request) {
  std::vector<Option> options = all_options(request);
  make_optional(options, "run.dir");
  return options;
}

std::vector<Option> profile_command_options(ProfileRequest& request) {
  std::vector<Option> options = all_options(request);
  make_optional(options, "run.dir");
  return options;
}

ProfileRequest read_profile_request(Arguments arguments, const TextSources& texts) {
  ProfileRequest request;
  std::vector<Option> options = profile_command_options(request);
  read_all(arguments, texts, request, options, "config");
  require(options);
  return request;
}

TuneRequest read_tune_request(Arguments arguments, const TextSources& texts) {
  TuneRequest request;
  std::vector<Option> options = tune_command_options(request);
  read_all(arguments, texts, request, options);
  require(options);
  return request;
}

TrainRequest read_train_request(Arguments arguments, const TextSources& texts) {
  TrainRequest request;
  std::vector<Option> options = train_command_options(request);
  const std::span<Option> keys = read_all(arguments, texts, request, options);
  if (!request.is_dry && (request.ranks || request.ranks_per_host)) {
    throw usage_error(
        "--ranks and --ranks-per-host belong to --dry-run; mpirun says how many ranks train");
  }
  if (request.is_dry) make_optional(keys, "run.dir");
  require(keys);
  return request;
}

train::Config read_training_config(Arguments arguments, const TextSources& texts) {
  return read_train_request(arguments, texts).config;
}

bool asks_for_dry_run(Arguments arguments) {
  return std::ranges::find(arguments, fmt::format("--{}", kDryRun)) != arguments.end();
}

}  // namespace ballast::cli
