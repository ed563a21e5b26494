#pragma once

#include <filesystem>

namespace ballast::train {

/// "models/mine" of "models/mine/": a path whose last part is a name.
[[nodiscard]] std::filesystem::path without_trailing_slash(const std::filesystem::path& path);

/// A usage Error if something is at `output` that a new folder would replace: a file, or a folder
/// that is not empty.
void require_new(const std::filesystem::path& output);
/// A usage Error if anything is at `output` that a new file would replace.
void require_new_file(const std::filesystem::path& output);

}  // namespace ballast::train
