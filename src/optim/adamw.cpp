#include "optim/adamw.hpp"

#include <cmath>
#include <utility>

#include "kernels/adamw.hpp"
#include "kernels/math.hpp"

namespace ballast::optim {

AdamW::AdamW(const AdamWConfig& config, std::vector<Group> groups)
    : config_{config}, groups_{std::move(groups)} {}

void AdamW::update(std::uint64_t t, double lr, double gradient_factor, const Spans& spans) const {
  const double bias1 = 1.0 - kernels::portable_power(config_.beta1, t);
  const double bias2 = 1.0 - kernels::portable_power(config_.beta2, t);
  kernels::AdamWStep step{
      .gradient_factor = static_cast<float>(gradient_factor),
      .beta1 = static_cast<float>(config_.beta1),
      .beta2 = static_cast<float>(config_.beta2),
      .step_size = static_cast<float>(lr / bias1),
      .inv_sqrt_bias2 = static_cast<float>(1.0 / std::sqrt(bias2)),
      .epsilon = static_cast<float>(config_.epsilon),
      .decay_factor = 1.0f,
  };
  const auto decayed = static_cast<float>(1.0 - lr * config_.weight_decay);
  for (const Group& group : groups_) {
    step.decay_factor = group.decayed ? decayed : 1.0f;
    kernels::adamw(step, spans.gradient.subspan(group.offset, group.numel),
                   spans.weight.subspan(group.offset, group.numel),
                   spans.moment1.subspan(group.offset, group.numel),
                   spans.moment2.subspan(group.offset, group.numel));
  }
}

}  // namespace ballast::optim
