#include "data/reach.hpp"

#include <bit>

namespace ballast::data {

Reach reach_of(std::span<const std::uint64_t> segments, std::size_t seq_len) {
  Reach reach;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    reach.windows += (segments[i + 1] - segments[i] - 1) / seq_len;
  }
  if (reach.windows > 0) {
    reach.share = static_cast<double>(reach.windows) * static_cast<double>(seq_len) /
                  static_cast<double>(segments.back());
  }
  return reach;
}

std::size_t shorter_windows(std::span<const std::uint64_t> segments, std::size_t seq_len,
                            double share) {
  if (seq_len < 2) return 0;
  for (std::size_t length = std::bit_floor(seq_len - 1); length > 0; length /= 2) {
    if (reach_of(segments, length).share >= share) return length;
  }
  return 0;
}

}  // namespace ballast::data
