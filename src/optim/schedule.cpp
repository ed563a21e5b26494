#include "optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/lanes/math.hpp"

namespace ballast::optim {

namespace {

/// How much of the way from `start` to `end` lies behind `step`: 0 to 1.
double progress(std::uint64_t step, std::uint64_t start, std::uint64_t end) {
  if (step >= end) return 1.0;
  if (step <= start) return 0.0;
  return static_cast<double>(step - start) / static_cast<double>(end - start);
}

/// The last step of wsd at the full rate.
std::uint64_t stable_end(const Schedule& schedule) {
  const auto decay = static_cast<std::uint64_t>(
      std::llround(schedule.decay_fraction * static_cast<double>(schedule.steps)));
  return std::max(schedule.warmup, schedule.steps - std::min(decay, schedule.steps));
}

/// The share of (peak - min) that is left at `step`, after the warm-up.
double remaining(const Schedule& schedule, std::uint64_t step) {
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return 1.0;
    case ScheduleKind::linear:
      return 1.0 - progress(step, schedule.warmup, schedule.steps);
    case ScheduleKind::wsd:
      return 1.0 - progress(step, stable_end(schedule), schedule.steps);
    case ScheduleKind::cosine:
      break;
  }
  const double along = progress(step, schedule.warmup, schedule.steps);
  if (along >= 1.0) return 0.0;
  return 0.5 * (1.0 + kernels::portable_cos(std::numbers::pi * along));
}

}  // namespace

double Schedule::lr(std::uint64_t step) const {
  if (step < warmup) return peak_lr * static_cast<double>(step) / static_cast<double>(warmup);
  if (step == warmup) return peak_lr;
  const double share = remaining(*this, step);
  return share >= 1.0 ? peak_lr : min_lr + (peak_lr - min_lr) * share;
}

}  // namespace ballast::optim
