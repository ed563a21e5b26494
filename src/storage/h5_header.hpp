#pragma once

#include <cstdint>
#include <filesystem>

namespace ballast::storage {

/// Reads the header of a dataset before HDF5 does, which divides by what it says of chunks and
/// makes room for what it says of its length. `address`: where it begins in the file, which has no
/// block of a user's before it. A data Error unless the header lies in the file and its elements
/// lie as this program writes them.
void require_sound_header(const std::filesystem::path& path, std::uint64_t address,
                          std::uint64_t file_bytes);

}  // namespace ballast::storage
