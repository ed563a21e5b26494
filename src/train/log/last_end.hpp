#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ballast::train {

/// What to say when the last run in `run_dir` ended without saving the last steps that it logged:
/// how far it came, and what this one, which begins after `step`, does again. Nothing where no
/// logged step is beyond `step`, or where a checkpoint holds the last one. To be asked before the
/// log is cut back to `step`.
[[nodiscard]] std::optional<std::string> describe_unsaved_end(const std::filesystem::path& run_dir,
                                                              std::uint64_t step);

}  // namespace ballast::train
