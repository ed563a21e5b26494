#pragma once

#include <filesystem>

namespace ballast::cli {

/// Says what a Hugging Face folder is made of, on standard output: first its config.json, all
/// headers of its weights, and every tensor's name, shape and type are checked. A data Error names
/// what is wrong. No weight is read.
void inspect_folder(const std::filesystem::path& folder);

}  // namespace ballast::cli
