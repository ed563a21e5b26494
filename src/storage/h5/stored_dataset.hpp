#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "storage/h5/chunk_cache.hpp"
#include "storage/h5/chunk_codec.hpp"
#include "storage/h5/chunk_index.hpp"
#include "storage/h5/datatype.hpp"
#include "storage/h5/messages.hpp"
#include "storage/h5/object_header.hpp"

namespace ballast::storage::h5 {

/// One chunk as it lies in the file: neither unpacked nor converted.
struct StoredChunk {
  std::uint32_t filter_mask = 0;  ///< which filters were left out for it
  std::vector<std::uint8_t> bytes;
};

/// A dataset of a file that need not be trusted. It has one dimension and plain numbers of at most
/// 8 bytes; all its elements lie in the file itself, and are no more than deflate can pack into a
/// file of this size. Errors are data Errors that do not name file and dataset. Const members may
/// be called by several threads at once.
class StoredDataset {
 public:
  /// `header`: address of its object header in `source`, which must outlive it.
  StoredDataset(const ByteSource& source, std::uint64_t header);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::size_t element_bytes() const { return size_of(type_); }
  [[nodiscard]] std::uint64_t bytes() const { return size_ * element_bytes(); }

  /// Reads elements [offset, offset + out.size()), which must be within its size, as T. A chunk
  /// that was never written is a data Error.
  template <class T>
  void read(std::uint64_t offset, std::span<T> out, ChunkCache& cache) const;

  /// Type, order of bytes, chunks and filters in words that depend on nothing else. Datasets store
  /// them, so they stay as they are.
  [[nodiscard]] std::string describe() const;
  /// The chunk whose first element is `first` into `out`, whose memory is used again.
  void read_stored_chunk(std::uint64_t first, StoredChunk& out) const;

 private:
  using Compact = std::vector<std::uint8_t>;
  struct Chunks {
    std::uint64_t elements;  ///< of a chunk
    ChunkIndex index;
    ChunkCodec codec;
    std::vector<Filter> filters;
  };
  using Place = std::variant<Compact, ContiguousLayout, Chunks>;

  void read_type_and_size(const ObjectHeader& header);
  [[nodiscard]] Place place_of(const ObjectHeader& header) const;
  [[nodiscard]] Compact place(const CompactLayout& layout) const;
  [[nodiscard]] ContiguousLayout place(const ContiguousLayout& layout) const;
  [[nodiscard]] Chunks place(const ChunkedLayout& layout, std::vector<Filter> filters) const;
  [[nodiscard]] Error too_large() const;

  template <class T>
  void read_from(const Compact& elements, std::uint64_t offset, std::span<T> out) const;
  template <class T>
  void read_from(const ContiguousLayout& place, std::uint64_t offset, std::span<T> out) const;
  template <class T>
  void read_from(const Chunks& chunks, std::uint64_t offset, std::span<T> out,
                 ChunkCache& cache) const;
  [[nodiscard]] ChunkCache::Chunk chunk_at(const Chunks& chunks, std::uint64_t first,
                                           ChunkCache& cache) const;

  const ByteSource* source_;
  std::uint64_t header_;
  ElementType type_ = ElementType::u8;
  std::uint64_t size_ = 0;
  Place place_;
};

}  // namespace ballast::storage::h5
