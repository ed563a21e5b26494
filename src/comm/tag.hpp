#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/hash.hpp"
#include "comm/place.hpp"

namespace ballast::comm {

/// The largest tag that every MPI library allows (MPI 3.1, section 8.1.2).
inline constexpr int kLowestTagLimit = 32767;

/// The tag of a collective's messages, from 0 to `limit`, in two halves. One depends on the place
/// and the step: if a rank skips a collective, its next one has the same count, and must not be
/// taken for the skipped one. The other counts the collectives: on that rank it differs from then
/// on, which finds skips that the first half cannot see.
[[nodiscard]] inline int tag_for(std::uint64_t sequence, const Place& place, std::uint64_t step,
                                 int limit) {
  const auto tags = static_cast<std::uint32_t>(limit) + 1;
  const auto bits = static_cast<unsigned>(std::bit_width(tags)) - 1;
  const unsigned count_bits = bits / 2;
  const unsigned place_bits = bits - count_bits;
  const auto hash = [](std::string_view text) { return hash_of(std::span{text}).low; };
  const std::uint64_t kind = (hash(place.what) ^ std::rotl(hash(place.subject), 1)) +
                             step * 0x9E3779B97F4A7C15u;  // Fibonacci hashing
  const std::uint64_t count = sequence & ((std::uint64_t{1} << count_bits) - 1);
  return static_cast<int>((kind >> (64 - place_bits)) << count_bits | count);
}

}  // namespace ballast::comm
