#include "monitor/signals/loss_rise.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ballast::monitor {

void LossRise::push(double loss) {
  if (!std::isfinite(loss)) return;
  recent_.push(loss);
  lowest_ = std::min(lowest_, smoothed());
}

double LossRise::value() const { return recent_.values().empty() ? 0.0 : smoothed() - lowest_; }

double LossRise::smoothed() const {
  const auto losses = recent_.values();
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

LossRiseState LossRise::state() const {
  return {{recent_.values().begin(), recent_.values().end()}, lowest_};
}

void LossRise::restore(const LossRiseState& state) {
  recent_.assign(state.recent);
  lowest_ = state.lowest;
}

}  // namespace ballast::monitor
