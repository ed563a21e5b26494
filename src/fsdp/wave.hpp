#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/store.hpp"

namespace ballast::fsdp {

/// One wave of a step: ranks [0, contributors) each bring the gradient of one leaf, in leaf order;
/// the others bring nothing.
struct Wave {
  std::size_t contributors = 1;
  std::size_t first_leaf = 0;  ///< the leaf of rank 0
  std::size_t leaves = 1;      ///< of the whole step

  /// How many leaves of the step there are before the end of the wave.
  [[nodiscard]] constexpr std::size_t end_leaf() const { return first_leaf + contributors; }
  /// Whether the wave begins the sum of the step.
  [[nodiscard]] constexpr kernels::Store store() const {
    return first_leaf == 0 ? kernels::Store::overwrite : kernels::Store::add;
  }
};

/// Leaves [first, first + count) of a step.
struct LeafRange {
  std::size_t first = 0;
  std::size_t count = 0;

  [[nodiscard]] constexpr std::size_t end() const { return first + count; }
  friend constexpr bool operator==(const LeafRange&, const LeafRange&) = default;
};

/// The order in which the leaves of a step are added up: left to right within each group of `size`
/// leaves, and the groups left to right. The order is a part of the training and knows nothing of
/// ranks. The last group of a step may be smaller.
struct LeafGroups {
  std::size_t size = 1;
  bool rounds = false;  ///< a group's sum is rounded to bf16 before it is added

  [[nodiscard]] constexpr std::size_t group_of(std::size_t leaf) const { return leaf / size; }
  [[nodiscard]] constexpr bool begins(std::size_t leaf) const { return leaf % size == 0; }
  /// Whether no leaf of a step of `leaves` follows `leaf` in its group.
  [[nodiscard]] constexpr bool ends(std::size_t leaf, std::size_t leaves) const {
    return (leaf + 1) % size == 0 || leaf + 1 == leaves;
  }
  /// Whether the leaves are those of a whole group.
  [[nodiscard]] constexpr bool is_whole(LeafRange range, std::size_t leaves) const {
    return begins(range.first) && ends(range.end() - 1, leaves) &&
           group_of(range.first) == group_of(range.end() - 1);
  }
  /// Whether waves of `ranks` leaves cut a group, in a step of `leaves`.
  [[nodiscard]] constexpr bool cross_waves(std::size_t ranks, std::size_t leaves) const {
    for (std::size_t end = ranks; end < leaves; end += ranks) {
      if (!begins(end)) return true;
    }
    return false;
  }
};

}  // namespace ballast::fsdp
