#pragma once

#include <cstddef>
#include <cstdint>

namespace ballast::monitor {

// What a monitor does where nobody says otherwise.

inline constexpr std::uint64_t kDefaultEvery = 25;   ///< steps between probes
inline constexpr std::size_t kDefaultTokens = 2048;  ///< that a probe samples over the whole job
/// Directions in which it looks at streams that are too wide to be taken whole.
inline constexpr std::size_t kDefaultRank = 64;

}  // namespace ballast::monitor
