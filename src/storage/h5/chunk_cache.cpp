#include "storage/h5/chunk_cache.hpp"

#include <algorithm>

namespace ballast::storage::h5 {

namespace {

/// Enough for all of a small corpus.
constexpr std::size_t kMostBytes = std::size_t{24} << 20;
constexpr std::size_t kMostChunks = 4096;

}  // namespace

ChunkCache::Chunk ChunkCache::find(Key key) {
  const std::scoped_lock lock{mutex_};
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return nullptr;
  entry->second.used = ++clock_;
  return entry->second.chunk;
}

void ChunkCache::keep(Key key, Chunk chunk) {
  const std::scoped_lock lock{mutex_};
  // Another thread may have read the same one.
  if (const auto entry = entries_.find(key); entry != entries_.end()) drop(entry);
  while (!entries_.empty() &&
         (bytes_ + chunk->size() > kMostBytes || entries_.size() >= kMostChunks)) {
    drop_oldest();
  }
  bytes_ += chunk->size();
  entries_[key] = {std::move(chunk), ++clock_};
}

void ChunkCache::drop(std::map<Key, Entry>::iterator entry) {
  bytes_ -= entry->second.chunk->size();
  entries_.erase(entry);
}

void ChunkCache::drop_oldest() {
  drop(std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.used; }));
}

}  // namespace ballast::storage::h5
