#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace ballast::storage::h5 {

/// Unpacked chunks that were read last, over all datasets of a file: 24 MiB and 4,096 of them at
/// most. Any number of threads at once.
class ChunkCache {
 public:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  ///< the dataset's header, first element
  using Chunk = std::shared_ptr<const std::vector<std::uint8_t>>;

  /// Null where it is not kept.
  [[nodiscard]] Chunk find(Key key);
  /// Keeps a chunk in the place of those that were not asked for longest.
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
