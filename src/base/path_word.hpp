#pragma once

#include <string>

namespace ballast {

/// A path as someone wrote it, as the file system takes it: `~` and `~/...` begin with the home
/// folder, wherever they stand (a shell knows them only at a word's start, and not in a file).
/// Words that are no paths stay as they are. Usage Errors: no HOME, another user's home, names
/// longer than a file system takes.
[[nodiscard]] std::string read_path_word(const std::string& text);

}  // namespace ballast
