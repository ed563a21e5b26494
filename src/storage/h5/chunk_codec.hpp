#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/h5/messages.hpp"

namespace ballast::storage::h5 {

/// Unpacks the chunks of a dataset, each to its known size and never more, whatever its bytes say.
/// Filters: HDF5 File Format Specification Version 3.0 (The HDF Group), section IV.A.2.l.
class ChunkCodec {
 public:
  /// A data Error if a chunk is larger than any of ours or went through other filters than shuffle
  /// and deflate. `elements`: of a chunk, not 0.
  ChunkCodec(std::uint64_t elements, std::size_t element_bytes, std::span<const Filter> filters);

  /// Of an unpacked chunk.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The largest size of a packed chunk: deflate makes random bytes a little longer.
  [[nodiscard]] std::size_t most_stored_bytes() const { return bytes_ + bytes_ / 64 + 1024; }

  /// Bit i of `skipped`: the i-th filter was left out for this chunk. Throws a data Error if the
  /// result does not have `bytes()` bytes.
  [[nodiscard]] std::vector<std::uint8_t> decode(std::vector<std::uint8_t> stored,
                                                 std::uint32_t skipped) const;

 private:
  enum class Step { shuffle, deflate };

  std::size_t element_bytes_;
  std::size_t bytes_;
  std::vector<Step> steps_;  ///< in the order in which they were applied
};

}  // namespace ballast::storage::h5
