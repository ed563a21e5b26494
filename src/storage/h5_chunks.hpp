#pragma once

#include <cstddef>
#include <cstdint>
#include <hdf5.h>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ballast::storage {

/// Decoded chunks that were read last, over all datasets of a file.
class ChunkCache {
 public:
  using Key = std::pair<hid_t, std::size_t>;  ///< dataset and number of the chunk in it
  using Bytes = std::vector<std::uint8_t>;

  /// Null where it is not kept.
  [[nodiscard]] const Bytes* find(Key key);
  /// Valid until the next call.
  const Bytes& keep(Key key, Bytes bytes);
  /// Room to work in, valid until the next call, so that a read of what is kept allocates nothing.
  [[nodiscard]] std::span<std::uint8_t> room(std::size_t bytes);

 private:
  /// Enough for all of a small corpus.
  static constexpr std::size_t kMostBytes = std::size_t{24} << 20;
  static constexpr std::size_t kMostChunks = 4096;

  struct Entry {
    Bytes bytes;
    std::uint64_t used = 0;
  };
  void drop_oldest();

  std::map<Key, Entry> entries_;
  Bytes room_;
  std::size_t bytes_ = 0;
  std::uint64_t clock_ = 0;
};

/// How a one-dimensional dataset lies in chunks. HDF5 itself would inflate a chunk to whatever its
/// bytes ask for; here it is decoded into its own size and no further.
class ChunkLayout {
 public:
  /// A data Error if the chunks are larger than any of ours or go through other filters than
  /// shuffle and deflate. `creation`: the dataset's property list.
  ChunkLayout(hid_t creation, std::size_t element_bytes);

  [[nodiscard]] std::size_t elements() const { return elements_; }
  /// Reads and decodes one chunk. Data Errors name it.
  [[nodiscard]] ChunkCache::Bytes read(hid_t dataset, std::size_t chunk) const;

 private:
  enum class Filter { shuffle, deflate };

  void add_filter(hid_t creation, unsigned position);
  [[nodiscard]] std::size_t bytes() const { return elements_ * element_bytes_; }

  std::size_t elements_ = 0;
  std::size_t element_bytes_;
  std::vector<Filter> filters_;  ///< in the order in which they were applied
};

}  // namespace ballast::storage
