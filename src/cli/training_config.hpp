#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "train/settings/config.hpp"

namespace ballast::cli {

/// The text of a configuration file.
using ReadFile = std::function<std::string(const std::filesystem::path&)>;

/// The options of `ballast train`.
struct TrainRequest {
  std::filesystem::path file;
  bool is_dry = false;
  std::optional<std::vector<std::size_t>> ranks;  ///< the rank counts of a dry run
  std::optional<std::uint64_t> ranks_per_host;
  train::Config config;
};

/// The rows of `ballast train`: its own options, then every key of a configuration. The rows write
/// to `request`.
[[nodiscard]] std::vector<Option> train_command_options(TrainRequest& request);

/// Defaults, then the file named by --config, then the options. Throws usage Errors; does not yet
/// check keys against each other.
[[nodiscard]] TrainRequest read_train_request(Arguments arguments, const ReadFile& read_file);
/// The configuration alone.
[[nodiscard]] train::Config read_training_config(Arguments arguments, const ReadFile& read_file);

/// The options of `ballast tune`.
struct TuneRequest {
  std::filesystem::path file;
  std::filesystem::path output;
  std::uint64_t rounds = 9;
  train::Config config;
};

[[nodiscard]] std::vector<Option> tune_command_options(TuneRequest& request);
/// As read_train_request reads; run.dir is not needed.
[[nodiscard]] TuneRequest read_tune_request(Arguments arguments, const ReadFile& read_file);

/// The options of `ballast monitor profile`.
struct ProfileRequest {
  std::filesystem::path file;
  std::filesystem::path output;  ///< empty: a table on standard output
  train::Config config;
};

[[nodiscard]] std::vector<Option> profile_command_options(ProfileRequest& request);
/// As read_train_request reads; run.dir is not needed, and the file may be given without --config.
[[nodiscard]] ProfileRequest read_profile_request(Arguments arguments, const ReadFile& read_file);

/// Whether the arguments ask for a plan instead of a training.
[[nodiscard]] bool asks_for_dry_run(Arguments arguments);

}  // namespace ballast::cli
