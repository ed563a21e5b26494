#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "train/config.hpp"

namespace ballast::train {

/// The folder of one run, locked against other jobs for the object's lifetime.
class RunDirectory {
 public:
  /// Creates the folder, locks it, clears what an interrupted save left, and makes sure that every
  /// rank sees the same one (a nonce that rank 0 writes and all must read). Data Errors say who
  /// holds it, or which rank does not see it. Collective.
  RunDirectory(comm::Communicator& world, const std::filesystem::path& path);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  void create_and_lock();
  void check_visibility(comm::Communicator& world) const;

  std::filesystem::path path_;
  int lock_ = -1;  ///< on rank 0
};

/// The checkpoint a run goes on from, if any: what checkpoint.resume asks for, given what the run
/// directory holds. A usage Error if it holds checkpoints and nothing was said of them. Collective.
[[nodiscard]] std::optional<std::filesystem::path> checkpoint_to_resume(comm::Communicator& world,
                                                                        const Config& config);

}  // namespace ballast::train
