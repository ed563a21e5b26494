#include "storage/folder_file.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::storage {

namespace fs = std::filesystem;

namespace {

/// Whether `file` is content of the Hugging Face cache that `folder` is a part of: in
/// models--OWNER--NAME, files are in blobs, and snapshots/REVISION holds links to them.
bool is_cached_content(const fs::path& file, const fs::path& folder) {
  const fs::path snapshots = folder.parent_path();
  const fs::path model = snapshots.parent_path();
  return snapshots.filename() == "snapshots" && model.filename().native().starts_with("models--") &&
         file.parent_path() == model / "blobs";
}

}  // namespace

void require_inside(const fs::path& folder, const std::string& name) {
  std::error_code error;
  const fs::path file = fs::canonical(folder / name, error);
  if (error) {
    throw data_error("cannot open '{}': {}; get the folder with all of its files",
                     (folder / name).string(), error.message());
  }
  const fs::path root = fs::canonical(folder, error);
  if (!error && *file.lexically_relative(root).begin() != "..") return;
  if (!error && is_cached_content(file, root)) return;
  throw data_error(
      "'{}' is a link to '{}', outside of its folder; if that is the right file, copy the folder "
      "with `cp -rL` and name the copy",
      (folder / name).string(), excerpt(file.string(), 4 * kExcerptBytes));
}

}  // namespace ballast::storage
