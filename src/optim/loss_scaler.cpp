#include "optim/loss_scaler.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.hpp"

namespace ballast::optim {

namespace {

void require_power_of_two(std::string_view key, double scale) {
  int exponent = 0;
  if (!std::isfinite(scale) || std::frexp(scale, &exponent) != 0.5) {
    throw usage_error("{} is {}: choose a power of two, such as 65536", key, scale);
  }
}

}  // namespace

LossScaler::LossScaler(const LossScalerConfig& config) : config_{config} {
  require_power_of_two("precision.initial_scale", config.initial);
  require_power_of_two("the smallest loss scale", config.minimum);
  require_power_of_two("the largest loss scale", config.maximum);
  if (config.initial < config.minimum || config.initial > config.maximum) {
    throw usage_error("precision.initial_scale is {}: choose a power of two from {} to {}",
                      config.initial, config.minimum, config.maximum);
  }
  if (config.growth_interval == 0) {
    throw usage_error("precision.growth_interval is 0: choose at least 1 step");
  }
  if (config.hysteresis == 0) {
    throw usage_error("precision.hysteresis is 0: choose at least 1 overflow");
  }
}

LossScalerState LossScaler::start() const {
  return {.scale = config_.initial, .good_steps = 0, .tolerance = config_.hysteresis - 1};
}

void LossScaler::finite(LossScalerState& state) const {
  if (++state.good_steps < config_.growth_interval) return;
  state.good_steps = 0;
  state.tolerance = config_.hysteresis - 1;
  state.scale = std::min(state.scale * 2.0, config_.maximum);
}

bool LossScaler::overflow(LossScalerState& state) const {
  state.good_steps = 0;
  if (state.tolerance > 0) {
    --state.tolerance;
    return true;
  }
  if (state.scale <= config_.minimum) return false;
  state.scale /= 2.0;
  return true;
}

}  // namespace ballast::optim
