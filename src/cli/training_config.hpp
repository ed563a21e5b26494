#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "train/config.hpp"

namespace ballast::cli {

/// The text of a configuration file.
using ReadFile = std::function<std::string(const std::filesystem::path&)>;

/// What `ballast train` takes: --config, then every key of a configuration. The rows write to
/// `file` and `config`.
[[nodiscard]] std::vector<Option> train_command_options(std::filesystem::path& file,
                                                        train::Config& config);

/// The configuration that `ballast train` was given: defaults, then the file named by --config,
/// then the options. Usage Errors; keys are not yet held against each other.
[[nodiscard]] train::Config read_training_config(Arguments arguments, const ReadFile& read_file);

}  // namespace ballast::cli
