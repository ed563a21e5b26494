#include "monitor/monitor.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.hpp"

namespace ballast::monitor {

namespace {

/// Steps for which an alert keeps probes dense.
constexpr std::uint64_t kAlarmSteps = 100;

std::string advice(Feature loudest) {
  switch (loudest) {
    case Feature::attention_growth:
      return "lower optim.lr, or turn on model.qk_norm";
    case Feature::residual_growth:
    case Feature::update_growth:
      return "lower optim.lr, or raise optim.weight_decay";
    default:
      return "lower optim.lr";
  }
}

/// What a feature's value means, for people.
std::string evidence(Feature feature, double value) {
  switch (feature) {
    case Feature::attention_growth:
      return fmt::format("attention logits have grown {:.0f}-fold since the first step",
                         std::exp(value));
    case Feature::residual_growth:
      return fmt::format("the residual stream has grown {:.1f}-fold since the first step",
                         std::exp(value));
    case Feature::update_growth:
      return fmt::format("blocks change the stream {:.1f} times as much as at the first step",
                         std::exp(value));
    case Feature::loss_rise:
      return fmt::format("the loss stands {:.2f} nats above its lowest", value);
    case Feature::weight_update:
      return fmt::format("each step changes the weights by {:.1f}%", 100.0 * std::exp(value));
    case Feature::learning_rate:
      return fmt::format("the learning rate is {:.2g}", std::exp(value));
    case Feature::loss:
      return fmt::format("the loss is still {:.2f}", value);
    default:
      return fmt::format("{} stands at {:.3g}", name_of(feature), value);
  }
}

/// What later probes are held against, block by block, has a value of every block.
void require_blocks(const std::optional<ProbeLevels>& levels, std::size_t layers) {
  if (!levels) return;
  const bool has_all = levels->attention_logit.size() == layers &&
                       levels->update.size() == layers && levels->spectral.size() == layers &&
                       levels->kurtosis.size() == layers + 1 && levels->rms.size() == layers + 1;
  if (!has_all)
    throw data_error("the monitor's state is of a model that does not have {} blocks", layers);
}

}  // namespace

SpectralShape shape_of(const MonitorOptions& options) {
  return {options.model.layers, options.model.dim, options.rank,
          options.tokens,       options.capacity,  options.seed};
}

Monitor::Monitor(MonitorOptions options, const kernels::Gemm& gemm)
    : options_{std::move(options)},
      uncalibrated_{options_.calibration.why_not(options_.model)},
      cadence_{options_.every, options_.warmup,
               options_.step_flop == 0.0 ? 0.0
                                         : estimated_flop(shape_of(options_)) / options_.step_flop},
      rows_{options_.model.layers, options_.model.dim, options_.capacity},
      sums_{options_.model.layers, options_.model.dim},
      detectors_{options_.warmup},
      responder_{options_.on_alert} {
  if (options_.every == 0) return;
  spectral_ = std::make_unique<SpectralProbe>(shape_of(options_), gemm);
}

MonitorState Monitor::state() const {
  MonitorState state = state_;
  state.detectors = detectors_.state();
  state.loss_rise = loss_rise_.state();
  state.responder = responder_.state();
  return state;
}

void Monitor::restore(const MonitorState& state) {
  require_blocks(state.first, options_.model.layers);
  require_blocks(state.first_held_out, options_.model.layers);
  if (state.recent.size() > kRemembered) {
    throw data_error("the monitor's state has {} probes, more than {}", state.recent.size(),
                     kRemembered);
  }
  state_ = state;
  detectors_.restore(state.detectors);
  loss_rise_.restore(state.loss_rise);
  responder_.restore(state.responder);
}

std::optional<std::uint64_t> Monitor::alarm_age(std::uint64_t step) const {
  if (step > state_.alarmed_until) return {};
  return step - state_.alarmed_since;
}

bool Monitor::is_due(std::uint64_t step) const {
  return cadence_.is_due(step, step <= state_.alarmed_until ? Watch::alarmed : Watch::calm);
}

std::vector<Alert> Monitor::after_step(const StepFacts& facts) {
  auto alerts = detectors_.after_step(facts);
  if (!facts.was_skipped) loss_rise_.push(facts.loss);
  note(facts.step, alerts);
  return alerts;
}

/// `of_step`: null of held-out text.
void Monitor::take_probe(comm::Communicator& world, std::uint64_t step, const StepInput* of_step,
                         std::optional<ProbeLevels>& first) {
  sums_.measure(rows_);
  sums_.merge_over(world);
  probe_.step = step;
  sums_.write(probe_.signals);
  spectral_->measure(world, rows_, probe_.spectra, probe_.eigenvalues);
  const ProbeInput input{probe_.signals, probe_.spectra, of_step};
  const ProbeLevels levels = levels_of(input);
  if (!first) first = levels;
  complete(*first, levels);
  probe_.features = features_of(input, levels, *first);
}

void Monitor::after_held_out(comm::Communicator& world, std::uint64_t step) {
  probe_.of_step.reset();
  take_probe(world, step, nullptr, state_.first_held_out);
}

std::vector<Alert> Monitor::after_probe(comm::Communicator& world, const StepFacts& facts,
                                        UpdateSignals updates,
                                        const std::optional<ShapingRecord>& shaping) {
  probe_.of_step = {.log_z = facts.log_z, .updates = std::move(updates), .shaping = shaping};
  const StepInput of_step{facts, probe_.of_step->updates, loss_rise_.value()};
  take_probe(world, facts.step, &of_step, state_.first);
  auto alerts = detectors_.after_probe(facts.step, probe_.signals.attention_logit,
                                       state_.first->attention_logit);
  judge(facts, alerts);
  note(facts.step, alerts);
  return alerts;
}

void Monitor::judge(const StepFacts& facts, std::vector<Alert>& alerts) {
  if (facts.was_skipped) return;
  state_.recent.push_back(probe_.features);
  if (state_.recent.size() > kRemembered) state_.recent.erase(state_.recent.begin());
  if (uncalibrated_) return;
  const FeatureVector features = medians_of(state_.recent);
  const double risk = options_.calibration.probability(features);
  if (std::isnan(risk)) return;
  probe_.of_step->risk = risk;
  if (risk < options_.calibration.threshold) return;
  const bool was_raised = state_.risk_raised != 0;
  if (was_raised && facts.step < state_.risk_raised + Detectors::kQuietSteps) return;
  state_.risk_raised = facts.step;
  alerts.push_back(risk_alert(facts.step, features));
}

Alert Monitor::risk_alert(std::uint64_t step, const FeatureVector& features) const {
  const auto& calibration = options_.calibration;
  const Feature loudest = calibration.loudest(features);
  return {
      .step = step,
      .kind = AlertKind::risk,
      .severity = Severity::warning,
      .layer = {},
      .score = *probe_.of_step->risk,
      .threshold = calibration.threshold,
      .message = fmt::format("this run breaks within {} steps with probability {:.2f}: {}; {}",
                             calibration.horizon, *probe_.of_step->risk,
                             evidence(loudest, features[static_cast<std::size_t>(loudest)]),
                             advice(loudest)),
      .action = {},
  };
}

void Monitor::note(std::uint64_t step, const std::vector<Alert>& alerts) {
  const bool is_serious =
      std::ranges::any_of(alerts, [](const Alert& a) { return a.severity >= Severity::warning; });
  if (!is_serious) return;
  if (step > state_.alarmed_until) state_.alarmed_since = step;
  state_.alarmed_until = step + kAlarmSteps;
}

}  // namespace ballast::monitor
