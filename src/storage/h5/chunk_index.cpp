#include "storage/h5/chunk_index.hpp"

#include <compare>
#include <vector>

#include "storage/h5/superblock.hpp"
#include "storage/h5/tree_node.hpp"

namespace ballast::storage::h5 {

namespace {

constexpr std::size_t kKeyBytes = 24;
constexpr std::size_t kNodeBytes =
    kTreeFrontBytes + (kChunkEntries + 1) * kKeyBytes + kChunkEntries * 8;

/// What keys are ordered by: the element that a chunk begins with, and a byte within it, which is 0
/// but in the last key of a tree.
struct Place {
  std::uint64_t first = 0;
  std::uint64_t within = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Key {
  std::uint32_t bytes = 0;
  std::uint32_t skipped_filters = 0;
  Place place;
};

Key take_key(Fields& node) {
  Key key;
  key.bytes = node.u32();
  key.skipped_filters = node.u32();
  key.place.first = node.u64();
  key.place.within = node.u64();
  return key;
}

struct Entry {
  Key key;
  std::uint64_t child = 0;
};

/// The entry in whose range `wanted` lies: from its key to the next one. Keys must ascend in whole
/// chunks, those that are not looked at, too.
std::optional<Entry> entry_for(Fields node, std::size_t entries, std::uint64_t chunk,
                               Place wanted) {
  std::optional<Entry> found;
  Key key = take_key(node);
  for (std::size_t i = 0; i < entries; ++i) {
    const Entry entry{key, node.u64()};
    key = take_key(node);
    const Place begin = entry.key.place;
    if (begin.first % chunk != 0 || begin.within != 0 || key.place <= begin) {
      throw damaged("the keys of its chunks are out of order");
    }
    if (begin <= wanted && wanted < key.place) found = entry;
  }
  return found;
}

}  // namespace

std::optional<ChunkPlace> ChunkIndex::find(std::uint64_t first) const {
  if (address_ == kNowhere) return {};
  auto bytes = source_->read(address_, kNodeBytes);
  Fields node{bytes};
  TreeFront front = take_front(node, TreeKind::chunks, kChunkEntries);
  auto entry = entry_for(node, front.entries, chunk_, {first});
  while (entry && front.level > 0) {
    source_->read(entry->child, bytes);
    node = Fields{bytes};
    front = take_child_front(node, TreeKind::chunks, kChunkEntries, front.level);
    entry = entry_for(node, front.entries, chunk_, {first});
  }
  if (!entry || entry->key.place.first != first) return {};
  if (!source_->contains(entry->child, entry->key.bytes)) {
    throw damaged("a chunk lies beyond the file's end");
  }
  return ChunkPlace{entry->child, entry->key.bytes, entry->key.skipped_filters};
}

}  // namespace ballast::storage::h5
