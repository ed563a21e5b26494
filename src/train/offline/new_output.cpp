#include "train/offline/new_output.hpp"

#include <system_error>

#include "base/error.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

fs::path without_trailing_slash(const fs::path& path) {
  return path.has_filename() || !path.has_parent_path() ? path : path.parent_path();
}

void require_new(const fs::path& output) {
  std::error_code error;
  const auto status = fs::symlink_status(output, error);
  if (!fs::exists(status)) return;
  const bool is_empty = fs::is_directory(status) && fs::is_empty(output, error) && !error;
  if (is_empty) return;
  throw usage_error("'{}' is there and not an empty folder: name a new one, or remove it first",
                    output.string());
}

void require_new_file(const fs::path& output) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(output, ignored))) return;
  throw usage_error("'{}' is there: name a new file, or remove it first", output.string());
}

}  // namespace ballast::train
