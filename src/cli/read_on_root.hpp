#pragma once

#include <filesystem>
#include <string>

#include "comm/communicator.hpp"

namespace ballast::cli {

/// Rank 0 reads the file for all, so that every rank works by the same text, whatever its host has
/// under that name. Collective; a usage Error on every rank where it cannot be read.
[[nodiscard]] std::string read_on_root(comm::Communicator& world,
                                       const std::filesystem::path& path);

}  // namespace ballast::cli
