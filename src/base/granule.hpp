#pragma once

#include <cstddef>

namespace ballast {

/// The one unit of tensor alignment, shard cuts, norm blocks, hash blocks and
/// checkpoint extents: 1,024 logical elements. Whatever is computed per granule
/// is the same at any rank count.
inline constexpr std::size_t kGranule = 1024;

/// How many granules `numel` elements take; the last one may be partly padding.
[[nodiscard]] constexpr std::size_t granules_for(std::size_t numel) {
  return (numel + kGranule - 1) / kGranule;
}

[[nodiscard]] constexpr std::size_t padded_numel(std::size_t numel) {
  return granules_for(numel) * kGranule;
}

/// A run of granules: [first, first + count).
struct GranuleRange {
  std::size_t first = 0;
  std::size_t count = 0;

  [[nodiscard]] constexpr std::size_t end() const { return first + count; }
  [[nodiscard]] constexpr std::size_t first_element() const { return first * kGranule; }
  [[nodiscard]] constexpr std::size_t numel() const { return count * kGranule; }
  friend constexpr bool operator==(const GranuleRange&, const GranuleRange&) = default;
};

/// The part that `rank` of `world_size` owns of `granules`: contiguous, in rank
/// order, sizes differing by one at most; some are empty when there are more
/// ranks than granules.
[[nodiscard]] constexpr GranuleRange shard_range(std::size_t granules, std::size_t rank,
                                                 std::size_t world_size) {
  const std::size_t first = granules * rank / world_size;
  return {first, granules * (rank + 1) / world_size - first};
}

static_assert(granules_for(1025) == 2);
static_assert(shard_range(10, 3, 4) == GranuleRange{7, 3});

}  // namespace ballast
