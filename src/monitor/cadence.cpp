#include "monitor/cadence.hpp"

#include <algorithm>

namespace ballast::monitor {

Cadence::Cadence(std::uint64_t every, std::uint64_t warmup)
    : every_{every}, warmup_{warmup}, dense_{std::max(every / kDenser, std::uint64_t{1})} {}

bool Cadence::is_due(std::uint64_t step, Watch watch) const {
  if (every_ == 0) return false;
  const bool is_close = step <= warmup_ || watch == Watch::alarmed;
  return step == 1 || step % (is_close ? dense_ : every_) == 0;
}

}  // namespace ballast::monitor
