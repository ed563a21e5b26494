#include "storage/h5/group.hpp"

#include <algorithm>
#include <compare>

#include "storage/h5/superblock.hpp"
#include "storage/h5/tree_node.hpp"

namespace ballast::storage::h5 {

namespace {

constexpr std::size_t kHeapFrontBytes = 32;
constexpr std::size_t kGroupNodeBytes = kTreeFrontBytes + (2 * kGroupEntries + 1) * 8;
constexpr std::size_t kSymbolFrontBytes = 8;
constexpr std::size_t kSymbolBytes = 40;
constexpr std::size_t kSymbolNodeBytes = kSymbolFrontBytes + kSymbolEntries * kSymbolBytes;

/// Where the names of a group's members lie.
class LocalHeap {
 public:
  LocalHeap(const ByteSource& source, std::uint64_t address) : source_{&source} {
    const auto front = source.read(address, kHeapFrontBytes);
    Fields fields{front};
    fields.expect("HEAP");
    if (const auto version = fields.u8(); version != 0) {
      throw other_layout(fmt::format("a heap is of HDF5's version {}, not 0", version));
    }
    fields.skip(3);
    bytes_ = fields.u64();
    fields.skip(8);  // free room
    address_ = fields.u64();
    if (!source.contains(address_, bytes_)) throw damaged("a heap lies beyond the file's end");
  }

  /// How the name at `offset` stands to `name`. Reads no more of it than that takes.
  [[nodiscard]] std::strong_ordering compare(std::uint64_t offset, std::string_view name) const {
    if (offset > bytes_) throw damaged("a name lies beyond its heap's end");
    const auto stored =
        source_->read(address_ + offset, std::min<std::uint64_t>(name.size() + 1, bytes_ - offset));
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const auto wanted = i < name.size() ? static_cast<std::uint8_t>(name[i]) : std::uint8_t{0};
      if (stored[i] != wanted || wanted == 0) return stored[i] <=> wanted;
    }
    throw damaged("a name ends beyond its heap's end");
  }

 private:
  const ByteSource* source_;
  std::uint64_t address_ = 0;
  std::uint64_t bytes_ = 0;
};

/// The child in whose range a name lies: above the key before it, up to the key behind it.
std::optional<std::uint64_t> child_for(Fields node, std::size_t entries, const LocalHeap& heap,
                                       std::string_view name) {
  node.skip(8);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::uint64_t child = node.u64();
    if (heap.compare(node.u64(), name) >= 0) return child;
  }
  return {};
}

/// The address of the symbol node that would hold a name.
std::optional<std::uint64_t> symbol_node_for(const ByteSource& source, std::uint64_t tree,
                                             const LocalHeap& heap, std::string_view name) {
  auto bytes = source.read(tree, kGroupNodeBytes);
  Fields node{bytes};
  TreeFront front = take_front(node, TreeKind::group, kGroupEntries);
  auto child = child_for(node, front.entries, heap, name);
  while (child && front.level > 0) {
    bytes = source.read(*child, kGroupNodeBytes);
    node = Fields{bytes};
    front = take_child_front(node, TreeKind::group, kGroupEntries, front.level);
    child = child_for(node, front.entries, heap, name);
  }
  return child;
}

std::optional<std::uint64_t> find_symbol(const ByteSource& source, std::uint64_t address,
                                         const LocalHeap& heap, std::string_view name) {
  constexpr std::uint32_t kLink = 2;
  const auto bytes = source.read(address, kSymbolNodeBytes);
  Fields node{bytes};
  node.expect("SNOD");
  if (node.u8() != 1) throw other_layout("a group's symbols are not of HDF5's version 1");
  node.skip(1);
  const std::uint16_t count = node.u16();
  if (count > kSymbolEntries) throw damaged("a group has too many symbols in a node");
  for (std::size_t i = 0; i < count; ++i) {
    Fields symbol{node.take(kSymbolBytes)};
    const bool is_wanted = heap.compare(symbol.u64(), name) == 0;
    const std::uint64_t header = symbol.u64();
    const bool is_link = symbol.u32() == kLink;
    if (!is_wanted) continue;
    if (is_link) throw data_error("a link to another place: refused");
    return header;
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> find_member(const ByteSource& source, const ObjectHeader& group,
                                         std::string_view name) {
  for (const MessageKind other : {MessageKind::link_info, MessageKind::link}) {
    if (!group.all(other).empty()) throw other_layout("a group is no symbol table");
  }
  const Bytes* const table = group.find(MessageKind::symbol_table);
  if (table == nullptr) return {};
  Fields fields{*table};
  const std::uint64_t tree = fields.u64();
  const LocalHeap heap{source, fields.u64()};
  const auto node = symbol_node_for(source, tree, heap, name);
  return node ? find_symbol(source, *node, heap, name) : std::nullopt;
}

}  // namespace ballast::storage::h5
