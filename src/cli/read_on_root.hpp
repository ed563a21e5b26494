#pragma once

#include <filesystem>
#include <string>

#include "comm/communicator.hpp"

namespace ballast::cli {

/// Rank 0 reads the file for all, so that every rank uses the same text, whatever its host has
/// under that name. Collective; throws a usage Error on every rank if it cannot be read.
[[nodiscard]] std::string read_on_root(comm::Communicator& world,
                                       const std::filesystem::path& path);

}  // namespace ballast::cli
