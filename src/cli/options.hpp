#pragma once

#include <string>
#include <vector>

#include "cli/option.hpp"
#include "train/settings/config.hpp"

namespace ballast::cli {

/// Every key of a training configuration, once: the source of the command line, of configuration
/// files, of the help and of config.resolved.ini. The rows read and write `config`.
[[nodiscard]] std::vector<Option> training_options(train::Config& config);

/// `config` as an INI file that reads back to the same configuration. Keys that were left to their
/// default rule (schedule.warmup, ...) stay out.
[[nodiscard]] std::string to_ini(const train::Config& config);

}  // namespace ballast::cli
