#include "train/watch/step_watch.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "base/error.hpp"

namespace ballast::train {

StepWatch::StepWatch(Instruments& instruments, comm::Communicator& world,
                     const checkpoint::TrainingState& state, ForwardPasses& passes)
    : instruments_{&instruments}, world_{&world}, step_{state.step + 1} {
  auto& monitor = instruments.monitor;
  const auto alarm_age = monitor.alarm_age(step_);
  was_alarmed_ = alarm_age.has_value();
  if (!monitor.is_due(step_)) return;
  if (instruments.shaping && alarm_age) prepare_shaping(state, passes, *alarm_age);
  observer_.emplace(step_, monitor.rows(), instruments.sample, &instruments.updates, shaping_);
}

void StepWatch::prepare_shaping(const checkpoint::TrainingState& state, ForwardPasses& passes,
                                std::uint64_t alarm_age) {
  ProbeObserver ahead{step_, instruments_->monitor.rows(), instruments_->sample};
  const double gradient_scale = passes.show_next(state, ahead);
  shaping_ = &*instruments_->shaping;
  shaping_->begin(*world_, step_, alarm_age, gradient_scale);
}

monitor::Action StepWatch::finish(const monitor::StepFacts& facts, MetricsLog& log) && {
  if (facts.step != step_) {
    throw internal_error("the watch of step {} got the outcome of step {}", step_, facts.step);
  }
  if (instruments_->config->monitor.every == 0) return monitor::Action::none;
  auto& monitor = instruments_->monitor;
  auto alerts = monitor.after_step(facts);
  if (observer_) {
    std::ranges::move(take_probe(facts), std::back_inserter(alerts));
    instruments_->write_probe(log);
  }
  const monitor::Action action = monitor.answer(alerts);
  for (const auto& alert : alerts) log.alert(alert);
  say_shaping(log);
  return action;
}

std::vector<monitor::Alert> StepWatch::take_probe(const monitor::StepFacts& facts) {
  auto& updates = instruments_->updates;
  auto seen = facts.was_skipped ? updates.without_update() : updates.gather(*world_);
  std::optional<monitor::ShapingRecord> shaped;
  if (shaping_ != nullptr) shaped = shaping_->finish(*world_);
  return instruments_->monitor.after_probe(*world_, facts, std::move(seen), shaped);
}

void StepWatch::say_shaping(MetricsLog& log) const {
  const bool is_alarmed = instruments_->monitor.alarm_age(step_ + 1).has_value();
  if (!instruments_->shaping || is_alarmed == was_alarmed_) return;
  log.say(is_alarmed ? fmt::format(
                           "shaping begins after step {}: the spectral loss is added in steps that "
                           "are probed, up to experimental.kss = {}",
                           step_, instruments_->config->experimental.kss)
                     : fmt::format("shaping ends after step {}: the alarm is over", step_));
}

}  // namespace ballast::train
