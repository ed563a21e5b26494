#pragma once

#include <cstdint>
#include <filesystem>
#include <map>

namespace ballast::checkpoint {

inline constexpr const char* kManifestName = "manifest.json";

/// Where the checkpoints of a run directory lie.
[[nodiscard]] std::filesystem::path checkpoints_folder(const std::filesystem::path& run_dir);
/// Of a finished checkpoint, and of one that is being written or deleted.
[[nodiscard]] std::filesystem::path step_folder(const std::filesystem::path& run_dir,
                                                std::uint64_t step);
[[nodiscard]] std::filesystem::path unfinished_folder(const std::filesystem::path& run_dir,
                                                      std::uint64_t step);

/// The finished checkpoints of a run directory by step.
[[nodiscard]] std::map<std::uint64_t, std::filesystem::path> finished_checkpoints(
    const std::filesystem::path& run_dir);

/// An empty unfinished_folder, whatever was there before.
void start_folder(const std::filesystem::path& run_dir, std::uint64_t step);

/// Turns the unfinished folder, which must hold a whole checkpoint, into step_folder in one step,
/// replacing what may be there, and points `latest` at it.
void publish_folder(const std::filesystem::path& run_dir, std::uint64_t step);

/// Deletes finished checkpoints until `keep` are left, the one of `newest` among them. First those
/// beyond `newest`, which an earlier course of the training left (its log is cut there, too), then
/// the lowest steps.
void prune_folders(const std::filesystem::path& run_dir, std::uint64_t newest, std::size_t keep);

}  // namespace ballast::checkpoint
