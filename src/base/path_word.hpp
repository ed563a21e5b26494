#pragma once

#include <string>

namespace ballast {

/// A path that a user wrote, as the file system takes it: `~` and `~/...` are replaced by the home
/// folder (a shell does so only at the start of a word, and not in a file). Words that are no paths
/// stay as they are. Throws a usage Error if HOME is not set, for another user's home, and for
/// names longer than a file system takes.
[[nodiscard]] std::string read_path_word(const std::string& text);

}  // namespace ballast
