#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/manifest.hpp"

namespace ballast::checkpoint {

/// Where an altered file of a checkpoint differs from what was saved, by the hashes of granules
/// that it holds: "tensor 'head', elements 1024 to 2047", or, where its contents cannot tell, its
/// table of contents. Reads the file; does not throw for bad contents.
[[nodiscard]] std::string place_of_damage(const std::filesystem::path& path,
                                          const Manifest& manifest);

}  // namespace ballast::checkpoint
