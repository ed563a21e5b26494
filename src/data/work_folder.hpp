#pragma once

#include <filesystem>
#include <string>

namespace ballast::data {

/// A hidden folder beside an output, for files that are written before the output is complete; its
/// destructor removes it. A process that is killed leaves it behind, unlocked, and the next one
/// that makes such a folder there removes it. (Locks work between containers and hosts too, where a
/// process number means nothing.)
class WorkFolder {
 public:
  /// Throws a data Error if the output's folder cannot be written.
  explicit WorkFolder(const std::filesystem::path& output);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  /// Whether a path is that of such a folder, of this process or another.
  [[nodiscard]] static bool is_one(const std::filesystem::path& path);
  /// The path of a file in it.
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path_ / name; }
  /// Syncs the file and renames it to the output, which it replaces in one step.
  void deliver(const std::filesystem::path& file);

 private:
  std::filesystem::path output_;
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace ballast::data
