#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ballast::data {

/// Training windows of `seq_len`, and the share of the split that they cover. A segment's last
/// tokens that do not fill a window are never trained on.
struct Reach {
  std::size_t windows = 0;
  double share = 0.0;  ///< of the split's tokens, as labels
};
[[nodiscard]] Reach reach_of(std::span<const std::uint64_t> segments, std::size_t seq_len);

/// The largest power of two, below `seq_len`, at which windows reach at least `share` of the
/// tokens; 0 if none does.
[[nodiscard]] std::size_t shorter_windows(std::span<const std::uint64_t> segments,
                                          std::size_t seq_len, double share);

}  // namespace ballast::data
