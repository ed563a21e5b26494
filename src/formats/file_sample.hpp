#pragma once

#include <cstdint>

#include "base/hash.hpp"
#include "storage/byte_source.hpp"

namespace ballast::formats {

/// Adds size, header (all before `data_begin`) and pieces of the data to `hasher`: some 256 KiB,
/// evenly spread. Two files that differ in more than a few places give other hashes.
void sample_file(const storage::ByteSource& source, std::uint64_t data_begin, Hasher& hasher);

}  // namespace ballast::formats
