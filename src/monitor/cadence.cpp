#include "monitor/cadence.hpp"

#include <algorithm>

namespace ballast::monitor {

Cadence::Cadence(std::uint64_t every, std::uint64_t warmup, std::uint64_t least)
    : every_{every == 0 ? 0 : std::max(every, least)},
      warmup_{warmup},
      dense_{std::max({every_ / kDenser, least, std::uint64_t{1}})} {}

bool Cadence::is_due(std::uint64_t step, Watch watch) const {
  if (every_ == 0) return false;
  const bool is_close = step <= warmup_ || watch == Watch::alarmed;
  return step == 1 || step % (is_close ? dense_ : every_) == 0;
}

}  // namespace ballast::monitor
