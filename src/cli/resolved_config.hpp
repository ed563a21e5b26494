#pragma once

#include <filesystem>
#include <vector>

#include "calibrate/run.hpp"
#include "cli/assignment.hpp"

namespace ballast::cli {

/// The configuration that `train` leaves in a run directory.
inline constexpr const char* kResolvedConfig = "config.resolved.ini";

/// Its keys and values. Data Errors name file and line: nobody typed them.
[[nodiscard]] std::vector<Assignment> read_resolved_config(const std::filesystem::path& run);

/// What a calibration needs of it. Keys that it has beside these may be those of another version.
[[nodiscard]] calibrate::RunFacts read_run_facts(const std::filesystem::path& run);

}  // namespace ballast::cli
