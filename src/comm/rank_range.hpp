#pragma once

#include <cstddef>

namespace ballast::comm {

/// Ranks first, first + 1, ..., first + count - 1 of a communicator.
struct RankRange {
  std::size_t first = 0;
  std::size_t count = 0;

  [[nodiscard]] constexpr std::size_t end() const { return first + count; }
  [[nodiscard]] constexpr bool contains(std::size_t rank) const {
    return rank >= first && rank < end();
  }
  friend constexpr bool operator==(const RankRange&, const RankRange&) = default;
};

}  // namespace ballast::comm
