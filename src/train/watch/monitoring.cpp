#include "train/watch/monitoring.hpp"

#include <fmt/format.h>

#include "monitor/state_text.hpp"
#include "train/watch/probe_observer.hpp"

namespace ballast::train {

Monitoring::Monitoring(const Config& config, const MonitorPlan& plan, comm::Communicator& world,
                       const kernels::Gemm& gemm, const fsdp::ShardLayout& layout)
    : config_{&config},
      held_out_every_{plan.held_out_every},
      world_{&world},
      instruments_{config, plan.options, gemm, layout} {}

void Monitoring::probe_held_out(std::uint64_t step, ForwardPasses& passes, MetricsLog& log) {
  if (config_->monitor.every == 0 || held_out_every_ == 0) return;
  if ((step - 1) % held_out_every_ != 0) return;
  show(data::Split::validation, passes);
  instruments_.monitor.after_held_out(*world_, step);
  instruments_.write_probe(log);
}

void Monitoring::show(data::Split split, ForwardPasses& passes) {
  // Step 0 chooses the same tokens each time.
  ProbeObserver observer{0, instruments_.monitor.rows(), instruments_.sample};
  if (split == data::Split::validation) {
    passes.show_held_out(probe_micro_batches(*config_), observer);
  } else {
    passes.show_training(probe_micro_batches(*config_), observer);
  }
}

const monitor::Probe& Monitoring::probe(data::Split split, ForwardPasses& passes) {
  show(split, passes);
  instruments_.monitor.after_held_out(*world_, 1);
  return instruments_.monitor.probe();
}

std::string Monitoring::describe() const {
  if (config_->monitor.every == 0) return "monitor: off (monitor.every = 0)";
  const auto why_not = instruments_.monitor.uncalibrated();
  return fmt::format("monitor: a probe of {} tokens every {} steps{}; on an alert: {}; {}",
                     config_->monitor.tokens, config_->monitor.every,
                     is_anew_ ? ", compared with the first one from here on" : "",
                     name_of(config_->monitor.on_alert),
                     why_not
                         ? fmt::format("its risk is not calibrated for this model: {}", *why_not)
                         : fmt::format("its risk is the probability of breaking within {} steps",
                                       config_->calibration.horizon));
}

std::string Monitoring::state() const { return monitor::to_json(instruments_.monitor.state()); }

void Monitoring::restore(const std::string& state, const std::string& source) {
  const auto known = monitor::parse_state(state, source);
  is_anew_ = !known.first.has_value();
  instruments_.monitor.restore(known);
}

}  // namespace ballast::train
