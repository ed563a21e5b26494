#pragma once

#include <filesystem>
#include <string>

namespace ballast::storage {

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
  /// A new folder in it, for an output that is a folder.
  [[nodiscard]] std::filesystem::path folder(const std::string& name) const;
  /// Syncs what was written, a file or a folder of synced files, and renames it to the output. A
  /// file replaces an older one in one step; a folder never replaces one that holds anything.
  void deliver(const std::filesystem::path& written);
  /// The same, also in the place of a folder that holds something. Where the file system can
  /// exchange two names, whoever looks finds the old one or the new one; elsewhere there is none
  /// for a moment between two renames.
  void deliver_over(const std::filesystem::path& written);

 private:
  std::filesystem::path output_;
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace ballast::storage
