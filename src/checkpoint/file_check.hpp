#pragma once

#include <filesystem>

#include "checkpoint/manifest.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {

/// Compares one file of a checkpoint with its manifest, a step at a time, before its contents are
/// used. Data Errors name the file, and the tensor where the file's own hashes tell it.
class FileCheck {
 public:
  /// Compares the size. `manifest` must outlive the object.
  FileCheck(std::filesystem::path path, const FileEntry& entry, const Manifest& manifest);

  /// Reads the next kStepBytes; after the last ones compares the hash. Does nothing after that.
  void advance();
  [[nodiscard]] bool is_done() const { return hasher_.is_done(); }

 private:
  std::filesystem::path path_;
  FileEntry entry_;
  const Manifest* manifest_;
  storage::FileHasher hasher_;
};

}  // namespace ballast::checkpoint
