#include "train/watch/monitoring.hpp"

#include <algorithm>

#include "monitor/probe_record.hpp"
#include "monitor/state_text.hpp"

namespace ballast::train {

namespace {

/// Every so many times monitor.every steps all eigenvalues are written down, and not only what sums
/// them up; always those of held-out text.
constexpr std::uint64_t kProbesBetweenEigenvalues = 8;

}  // namespace

Monitoring::Monitoring(const Config& config, const MonitorPlan& plan, comm::Communicator& world,
                       const kernels::Gemm& gemm, const fsdp::ShardLayout& layout)
    : config_{&config},
      held_out_every_{plan.held_out_every},
      world_{&world},
      monitor_{plan.options, gemm},
      updates_{layout},
      observer_{monitor_.rows(), probe_sample(config), updates_} {
  if (config.experimental.kss == 0.0) return;
  shaping_.emplace(monitor_.rows(), monitor::shape_of(plan.options),
                   probe_tokens_of_micro_batch(config), gemm, config.experimental.kss);
}

void Monitoring::look_ahead(const checkpoint::TrainingState& state, ForwardPasses& passes) {
  const std::uint64_t step = state.step + 1;
  const auto alarm_age = monitor_.alarm_age(step);
  was_alarmed_ = alarm_age.has_value();
  if (!shaping_ || !alarm_age || !monitor_.is_due(step)) return;
  observer_.begin(step);
  const double gradient_scale = passes.show_next(state, observer_);
  shaping_->begin(*world_, step, *alarm_age, gradient_scale);
  shaped_ = step;
}

StepObserver* Monitoring::observer_for(std::uint64_t step) {
  if (!monitor_.is_due(step)) return nullptr;
  probed_ = step;
  observer_.begin(step, shaped_ == step ? &*shaping_ : nullptr);
  return &observer_;
}

monitor::Duty Monitoring::after_step(const monitor::StepFacts& facts, MetricsLog& log) {
  if (config_->monitor.every == 0) return monitor::Duty::none;
  auto alerts = look(facts, log);
  const monitor::Duty duty = monitor_.answer(alerts);
  for (const auto& alert : alerts) log.alert(alert);
  say_shaping(facts.step, log);
  return duty;
}

void Monitoring::say_shaping(std::uint64_t step, MetricsLog& log) {
  const bool is_alarmed = monitor_.alarm_age(step + 1).has_value();
  if (!shaping_ || is_alarmed == was_alarmed_) return;
  log.say(is_alarmed ? fmt::format(
                           "shaping begins after step {}: the spectral loss is added in steps that "
                           "are probed, up to experimental.kss = {}",
                           step, config_->experimental.kss)
                     : fmt::format("shaping ends after step {}: the alarm is over", step));
}

std::vector<monitor::Alert> Monitoring::look(const monitor::StepFacts& facts, MetricsLog& log) {
  auto alerts = monitor_.after_step(facts);
  if (probed_ != facts.step) return alerts;
  std::ranges::move(monitor_.after_probe(*world_, facts, updates_.gather(*world_)),
                    std::back_inserter(alerts));
  if (shaped_ == facts.step) monitor_.note_shaping(shaping_->finish(*world_));
  write_probe(log);
  return alerts;
}

void Monitoring::write_probe(MetricsLog& log) {
  const monitor::Probe& probe = monitor_.probe();
  const bool in_full = probe.source == monitor::Source::held_out || probe.step == 1 ||
                       probe.step % (kProbesBetweenEigenvalues * config_->monitor.every) == 0;
  log.probe(
      monitor::to_json(probe, in_full ? monitor::Eigenvalues::yes : monitor::Eigenvalues::no));
}

void Monitoring::look_at_held_out(std::uint64_t step, ForwardPasses& passes, MetricsLog& log) {
  if (config_->monitor.every == 0 || held_out_every_ == 0) return;
  if ((step - 1) % held_out_every_ != 0) return;
  show(data::Split::validation, passes);
  monitor_.after_held_out(*world_, step);
  write_probe(log);
}

void Monitoring::show(data::Split split, ForwardPasses& passes) {
  observer_.begin(0);  // the same tokens each time
  if (split == data::Split::validation) {
    passes.show_held_out(probe_micro_batches(*config_), observer_);
  } else {
    passes.show_training(probe_micro_batches(*config_), observer_);
  }
}

const monitor::Probe& Monitoring::look_at(data::Split split, ForwardPasses& passes) {
  show(split, passes);
  monitor_.after_held_out(*world_, 1);
  return monitor_.probe();
}

std::string Monitoring::describe() const {
  if (config_->monitor.every == 0) return "monitor: off (monitor.every = 0)";
  const auto why_not = monitor_.uncalibrated();
  return fmt::format(
      "monitor: a probe of {} tokens each {} steps{}; on an alert: {}; {}", config_->monitor.tokens,
      config_->monitor.every, is_anew_ ? ", held against the first one from here on" : "",
      name_of(config_->monitor.on_alert),
      why_not ? fmt::format("its risk is not calibrated for this model: {}", *why_not)
              : fmt::format("its risk is the probability of breaking within {} steps",
                            config_->calibration.horizon));
}

std::string Monitoring::state() const { return monitor::to_json(monitor_.state()); }

void Monitoring::restore(const std::string& state, const std::string& source) {
  const auto known = monitor::parse_state(state, source);
  is_anew_ = !known.first.has_value();
  monitor_.restore(known);
}

}  // namespace ballast::train
