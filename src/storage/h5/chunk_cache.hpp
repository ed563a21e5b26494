#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace ballast::storage::h5 {

/// The unpacked chunks that were read last, of all datasets of a file: at most 4,096, and 24 MiB.
/// Any number of threads may call it at once.
class ChunkCache {
 public:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  ///< the dataset's header, first element
  using Chunk = std::shared_ptr<const std::vector<std::uint8_t>>;

  /// Null if it is not in the cache.
  [[nodiscard]] Chunk find(Key key);
  /// Adds a chunk, and drops those that were unused for the longest time.
  void keep(Key key, Chunk chunk);

 private:
  struct Entry {
    Chunk chunk;
    std::uint64_t used = 0;
  };
  void drop(std::map<Key, Entry>::iterator entry);
  void drop_oldest();

  std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::size_t bytes_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace ballast::storage::h5
