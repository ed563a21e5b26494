#pragma once

#include <cstdint>

#include "storage/h5/fields.hpp"

namespace ballast::storage::h5 {

/// The common part of both kinds of B-trees: HDF5 File Format Specification Version 3.0 (The HDF
/// Group), section III.A.1.
enum class TreeKind : std::uint8_t { group = 0, chunks = 1 };

/// Bytes of the front of a node.
inline constexpr std::size_t kTreeFrontBytes = 24;

/// The front of a node. Keys and children follow in turn, from a key to a key.
struct TreeFront {
  std::uint8_t level = 0;  ///< 0: its children are no nodes
  std::size_t entries = 0;
};

/// Levels of the deepest tree: more than a file could fill.
inline constexpr std::uint8_t kMostLevels = 16;

/// Takes the front off a node. A data Error if it is no node of that kind or has more entries than
/// such a node can.
[[nodiscard]] inline TreeFront take_front(Fields& node, TreeKind kind, std::size_t most_entries) {
  node.expect("TREE");
  if (node.u8() != static_cast<std::uint8_t>(kind)) throw damaged("a tree is of another kind");
  TreeFront front;
  front.level = node.u8();
  front.entries = node.u16();
  node.skip(16);  // its siblings
  if (front.level >= kMostLevels) throw damaged("a tree is too deep");
  if (front.entries > most_entries) throw damaged("a node of a tree has too many entries");
  return front;
}

/// The levels of the nodes on a way down: each is one below the level before, so that no way can
/// be a ring.
[[nodiscard]] inline TreeFront take_child_front(Fields& node, TreeKind kind,
                                                std::size_t most_entries, std::uint8_t above) {
  const TreeFront front = take_front(node, kind, most_entries);
  if (front.level + 1 != above) throw damaged("a node of a tree stands on a wrong level");
  return front;
}

}  // namespace ballast::storage::h5
