#pragma once

#include <filesystem>
#include <string>

namespace ballast::storage {

/// A data Error unless the file of this name is there and lies in the folder: a link may lead to
/// any file that its user can read.
void require_inside(const std::filesystem::path& folder, const std::string& name);

}  // namespace ballast::storage
