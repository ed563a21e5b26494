#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "calibrate/run.hpp"
#include "cli/assignment.hpp"
#include "train/settings/config.hpp"

namespace ballast::cli {

/// The configuration that `train` leaves in a run directory.
inline constexpr const char* kResolvedConfig = "config.resolved.ini";

/// `config` as an INI file that reads back to the same configuration. Keys that were left to their
/// default rule (schedule.warmup, ...) stay out.
[[nodiscard]] std::string to_ini(const train::Config& config);

/// Its keys and values. Data Errors name file and line; they are no usage Errors, since a program
/// wrote the file.
[[nodiscard]] std::vector<Assignment> read_resolved_config(const std::filesystem::path& run);

/// The keys that a calibration needs. Other keys of the file may be those of another version.
[[nodiscard]] calibrate::RunFacts read_run_facts(const std::filesystem::path& run);

}  // namespace ballast::cli
