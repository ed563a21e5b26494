#pragma once

#include <cstdint>
#include <optional>

#include "storage/byte_source.hpp"

namespace ballast::storage::h5 {

/// Where a chunk lies in the file, as it is stored.
struct ChunkPlace {
  std::uint64_t address = 0;
  std::uint32_t bytes = 0;
  std::uint32_t skipped_filters = 0;  ///< bit i: the i-th filter was left out for it
};

/// The chunks of a dataset of one dimension: a B-tree of version 1, HDF5 File Format Specification
/// Version 3.0 (The HDF Group), section III.A.1. No node is kept: each search starts at the root
/// and reads 2 KiB a level, and leads to one place even if the tree contradicts itself.
class ChunkIndex {
 public:
  /// `address`: of the root; kNowhere without chunks. `chunk`: elements of one.
  ChunkIndex(const ByteSource& source, std::uint64_t address, std::uint64_t chunk)
      : source_{&source}, address_{address}, chunk_{chunk} {}

  /// The chunk that begins at element `first`; nothing where none was written. A data Error if the
  /// nodes on the way are damaged, or if the chunk is not in the file.
  [[nodiscard]] std::optional<ChunkPlace> find(std::uint64_t first) const;

 private:
  const ByteSource* source_;
  std::uint64_t address_;
  std::uint64_t chunk_;
};

}  // namespace ballast::storage::h5
