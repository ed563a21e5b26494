#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ballast::train {

/// A line for the log if the last run in `run_dir` ended without saving the last steps that it
/// logged: how far it came, and how many steps this run, which begins after `step`, repeats.
/// Nothing if no logged step is beyond `step`, or if a checkpoint holds the last one. Call it
/// before the log is cut back to `step`.
[[nodiscard]] std::optional<std::string> describe_unsaved_end(const std::filesystem::path& run_dir,
                                                              std::uint64_t step);

}  // namespace ballast::train
