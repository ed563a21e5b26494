#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "comm/communicator.hpp"

namespace ballast::monitor {

/// The largest of each exponent over the job, on every rank. `words`: room of the same size.
/// Collective.
inline void agree_on_exponents(comm::Communicator& world, std::span<std::int32_t> exponents,
                               std::span<std::int64_t> words) {
  std::ranges::copy(exponents, words.begin());
  world.max(words, {"probe", "exponents"});
  std::ranges::transform(words, exponents.begin(),
                         [](std::int64_t word) { return static_cast<std::int32_t>(word); });
}

}  // namespace ballast::monitor
