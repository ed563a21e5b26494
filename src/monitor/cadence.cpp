#include "monitor/cadence.hpp"

#include <algorithm>
#include <cmath>

namespace ballast::monitor {

namespace {

std::uint64_t dense_distance(std::uint64_t every, double probe_share) {
  const auto affordable =
      static_cast<std::uint64_t>(std::ceil(probe_share / Cadence::kLargestShare));
  return std::min(std::max({every / Cadence::kDenser, affordable, std::uint64_t{1}}),
                  std::max(every, std::uint64_t{1}));
}

}  // namespace

Cadence::Cadence(std::uint64_t every, std::uint64_t warmup, double probe_share)
    : every_{every}, warmup_{warmup}, dense_{dense_distance(every, probe_share)} {}

bool Cadence::is_due(std::uint64_t step, Watch watch) const {
  if (every_ == 0) return false;
  const bool is_close = step <= warmup_ || watch == Watch::alarmed;
  return step == 1 || step % (is_close ? dense_ : every_) == 0;
}

}  // namespace ballast::monitor
