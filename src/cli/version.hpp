#pragma once

#include <string>

namespace ballast::cli {

/// "ballast 0.2.0 (commit 5206d8cd6a64)"; the commit ends in "-dirty" where files were changed
/// since, and is "unknown" where the program was built from an archive.
[[nodiscard]] std::string program_version();

/// This program's version and, a line each, those of the libraries it runs with.
[[nodiscard]] std::string version_text();

}  // namespace ballast::cli
