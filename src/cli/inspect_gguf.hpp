#pragma once

#include <filesystem>

namespace ballast::cli {

/// Says what a GGUF file is made of, on standard output: first its header, and every tensor's name,
/// shape and type are checked. A data Error names what is wrong. No weight is read.
void inspect_gguf(const std::filesystem::path& path);

}  // namespace ballast::cli
