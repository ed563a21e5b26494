#pragma once

#include <cstdint>

#include "storage/byte_source.hpp"

namespace ballast::storage::h5 {

/// What a file begins with, in version 0: HDF5 File Format Specification Version 3.0 (The HDF
/// Group), section II.A. Addresses are bytes from the file's start and have 8 bytes, no block of a
/// user's comes first, and B-trees have the nodes' sizes that are HDF5's own choice.
struct Superblock {
  std::uint64_t root = 0;  ///< address of the root group's object header
};

/// Entries of the nodes of a group's B-tree, of its leaves ("symbol nodes") and of the B-tree of a
/// dataset's chunks: twice the K of the specification.
inline constexpr std::size_t kGroupEntries = 32;
inline constexpr std::size_t kSymbolEntries = 8;
inline constexpr std::size_t kChunkEntries = 64;

/// A data Error that names the file if it is no HDF5 file, has another superblock than ballast
/// writes, or has fewer bytes than it had when it was written.
[[nodiscard]] Superblock read_superblock(const ByteSource& source);

}  // namespace ballast::storage::h5
