#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/hash.hpp"
#include "comm/communicator.hpp"

namespace ballast::comm {

/// The largest tag that every MPI library allows (MPI 3.1, section 8.1.2).
inline constexpr int kLowestTagLimit = 32767;

/// The tag of a collective's messages, from 0 to `limit`. The low 15 bits count the collectives, so
/// that a rank which skips one never answers the next in its place; where the library has more
/// bits, they tell what is exchanged, so that neither do two collectives at the same count.
[[nodiscard]] inline int tag_for(std::uint64_t sequence, const Place& place, int limit) {
  const auto count = static_cast<std::uint32_t>(sequence % (kLowestTagLimit + 1));
  const auto tags = static_cast<std::uint32_t>(limit) + 1;
  const int spare_bits = static_cast<int>(std::bit_width(tags)) - 1 - 15;
  if (spare_bits <= 0) return static_cast<int>(count);
  const auto hash = [](std::string_view text) { return hash_of(std::span{text}).low; };
  const std::uint64_t kind = hash(place.what) ^ std::rotl(hash(place.subject), 1);
  const auto mask = (std::uint32_t{1} << spare_bits) - 1;
  return static_cast<int>((static_cast<std::uint32_t>(kind) & mask) << 15 | count);
}

}  // namespace ballast::comm
