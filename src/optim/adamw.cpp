#include "optim/adamw.hpp"

#include <cmath>

#include "base/error.hpp"
#include "base/granule.hpp"
#include "kernels/lanes/math.hpp"
#include "kernels/lanes/pieces.hpp"

namespace ballast::optim {

namespace {

void check(const AdamW::Spans& spans, const Group& group) {
  const std::size_t size = spans.master.compute.size();
  if (spans.gradient.size() != size || spans.moment1.size() != size ||
      spans.moment2.size() != size) {
    throw internal_error("AdamW got {} gradients and moments of {} and {} for {} weights",
                         spans.gradient.size(), spans.moment1.size(), spans.moment2.size(), size);
  }
  if (group.offset > size || group.numel > size - group.offset) {
    throw internal_error("AdamW's group of {} weights at {} exceeds the slice of {}", group.numel,
                         group.offset, size);
  }
  if (spans.partials.empty()) return;
  if (spans.partials.size() != granules_for(size) || group.offset % kGranule != 0) {
    throw internal_error("AdamW got partials of {} granules for {} weights, and a group at {}",
                         spans.partials.size(), size, group.offset);
  }
}

std::span<kernels::AdamWPartials> partials_of(const AdamW::Spans& spans, const Group& group) {
  if (spans.partials.empty()) return {};
  return spans.partials.subspan(group.offset / kGranule, granules_for(group.numel));
}

void update_group(const kernels::AdamWStep& step, const AdamW::Spans& spans, const Group& group) {
  const auto part = [&](auto values) { return values.subspan(group.offset, group.numel); };
  const kernels::AdamWState state{part(spans.gradient), part(spans.moment1), part(spans.moment2),
                                  partials_of(spans, group)};
  const MasterSlice& master = spans.master;
  switch (master.compute.type()) {
    case ElementType::fp32:
      return kernels::adamw(step, part(master.compute.floats()), state);
    case ElementType::bf16:
      return kernels::adamw(step, part(master.compute.halves()), part(master.low), state);
    case ElementType::fp16:
      return kernels::adamw(step, part(master.full), part(master.compute.halves()), state);
  }
}

}  // namespace

AdamW::AdamW(const AdamWConfig& config, Team* team) : config_{config}, team_{team} {}

void AdamW::update(std::uint64_t t, double lr, double gradient_factor,
                   std::span<const Group> groups, const Spans& spans) const {
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
  for (const Group& group : groups) {
    step.decay_factor = group.decayed ? decayed : 1.0f;
    check(spans, group);
    kernels::for_elements(team_, group.numel, [&](std::size_t first, std::size_t count) {
      update_group(step, spans, {group.offset + first, count, group.decayed});
    });
  }
}

}  // namespace ballast::optim
