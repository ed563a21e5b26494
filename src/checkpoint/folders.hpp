#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

namespace ballast::checkpoint {

/// Where the checkpoints of a run directory lie.
[[nodiscard]] std::filesystem::path checkpoints_folder(const std::filesystem::path& run_dir);
/// The folder of a finished checkpoint, and of one that is being written or deleted.
[[nodiscard]] std::filesystem::path step_folder(const std::filesystem::path& run_dir,
                                                std::uint64_t step);
[[nodiscard]] std::filesystem::path unfinished_folder(const std::filesystem::path& run_dir,
                                                      std::uint64_t step);

/// The finished checkpoints of a run directory by step.
[[nodiscard]] std::map<std::uint64_t, std::filesystem::path> finished_checkpoints(
    const std::filesystem::path& run_dir);

/// An empty unfinished_folder, whatever was there before.
void start_folder(const std::filesystem::path& run_dir, std::uint64_t step);

/// All checkpoints in the order in which a resume tries them, also those without a manifest: from
/// the step that the file `latest` names down to the oldest; then those of later steps, which are
/// left from before a resume at an earlier step.
[[nodiscard]] std::vector<std::filesystem::path> newest_first(const std::filesystem::path& run_dir);

/// Points `latest` at `step`, then renames the unfinished folder, which must hold a whole
/// checkpoint, to step_folder, in place of an older one. Because of this order, whenever the
/// process dies, the newest whole checkpoint up to the step of `latest` is the one to resume.
void publish_folder(const std::filesystem::path& run_dir, std::uint64_t step);

/// Which of a run's checkpoints stay.
struct Retention {
  std::size_t keep = 2;          ///< the last ones; at least 1
  std::uint64_t keep_every = 0;  ///< checkpoints of its multiples stay for ever; 0: none
};

/// Deletes finished checkpoints until `retention.keep` are left, the one of `newest` among them.
/// First those of later steps, which are left from before a resume at an earlier step, then the
/// lowest steps. Only checkpoints whose files all have their full size count; others are not
/// touched.
void prune_folders(const std::filesystem::path& run_dir, std::uint64_t newest,
                   const Retention& retention);

/// Renames a damaged checkpoint, so that people find it but a resume does not: step-N becomes
/// step-N.damaged (or .damaged-2, ...). Returns its new path.
std::filesystem::path set_aside(const std::filesystem::path& folder);

/// The checkpoint at `path`: the folder itself if it holds a manifest, else the newest of a run
/// directory (that of its file `latest`, or the highest step that is whole). A data Error if there
/// is none.
[[nodiscard]] std::filesystem::path find_checkpoint(const std::filesystem::path& path);

/// Whether a run directory holds any finished checkpoint.
[[nodiscard]] bool has_checkpoints(const std::filesystem::path& run_dir);

/// Deletes what an interrupted save left behind (step-*.tmp). Call on one rank.
void remove_unfinished(const std::filesystem::path& run_dir);

/// Points `latest` at the checkpoint of `step`.
void point_latest_at(const std::filesystem::path& run_dir, std::uint64_t step);

}  // namespace ballast::checkpoint
