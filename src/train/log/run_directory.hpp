#pragma once

#include <filesystem>

#include "comm/communicator.hpp"

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

}  // namespace ballast::train
