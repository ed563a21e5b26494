#pragma once

#include <filesystem>
#include <string_view>

#include "storage/files.hpp"
#include "storage/work_folder.hpp"

namespace ballast::storage {

/// A file that is written front to back and appears under its name when it is complete; without
/// deliver() nothing of it is left. All errors are data Errors that name it.
class WholeFile {
 public:
  explicit WholeFile(const std::filesystem::path& path);

  void write(std::string_view text);
  /// Nothing is written after it.
  void deliver();

 private:
  WorkFolder work_;
  std::filesystem::path written_;
  OutputFile file_;
};

}  // namespace ballast::storage
