#pragma once

#include <string>

namespace ballast::cli {

/// This program's version and, a line each, those of the libraries it runs with.
[[nodiscard]] std::string version_text();

}  // namespace ballast::cli
