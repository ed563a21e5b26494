#pragma once

#include <cstddef>
#include <cstdint>
#include <hdf5.h>
#include <optional>

#include "storage/h5_chunks.hpp"
#include "storage/h5_handle.hpp"

namespace ballast::storage {

/// A dataset of a file that anyone may have written. It has one dimension and plain numbers of at
/// most 8 bytes; its elements lie in the file itself, all of them, and take no more room than
/// deflate can make of the file. Errors are data Errors that do not name file and dataset.
class StoredDataset {
 public:
  StoredDataset(H5Handle dataset, std::uint64_t file_bytes);

  [[nodiscard]] hid_t id() const { return dataset_.id(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t element_bytes() const { return element_bytes_; }
  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{size_} * element_bytes_; }

  /// Reads elements [offset, offset + count), which must be within its size, as native `type`.
  void read(hid_t type, std::size_t offset, std::size_t count, void* out, ChunkCache& cache) const;

  /// Whether its bytes were counted as read whole; `count_whole` sets that.
  [[nodiscard]] bool is_counted() const { return is_counted_; }
  void count_whole() { is_counted_ = true; }

 private:
  void require_plain_type() const;
  void require_plain_layout(hid_t creation, std::uint64_t file_bytes);
  void require_in_file(std::uint64_t file_bytes) const;
  void read_plain(hid_t type, std::size_t offset, std::size_t count, void* out) const;
  void read_chunks(hid_t type, std::size_t offset, std::size_t count, std::uint8_t* out,
                   ChunkCache& cache) const;

  H5Handle dataset_;
  H5Handle type_;
  std::size_t element_bytes_ = 0;
  std::size_t size_ = 0;
  std::optional<ChunkLayout> chunks_;
  bool is_counted_ = false;
};

}  // namespace ballast::storage
