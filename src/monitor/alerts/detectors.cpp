#include "monitor/alerts/detectors.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace ballast::monitor {

namespace {

/// Over the highest rate so far, in one step: eightfold broke 48 runs of 48 within four steps. A
/// schedule that starts over at its peak is no jump.
constexpr double kLearningRateJump = 2.0;

/// Attention logits from which losses suffer, and beyond which no run came back (Wortsman et al.
/// 2023, "Small-scale proxies for large-scale Transformer training instabilities", section 3.1).
constexpr double kLargeLogit = 1e3;
constexpr double kSaturatedLogit = 1e4;

/// Bursts: deviations from the median of the last steps, and what a deviation is at least, so that
/// a very quiet run is not called out for a whisper.
constexpr double kBurst = 6.0;
constexpr double kLeastLogDeviation = 0.18;   ///< of ln(gradient norm): 6 of them are a factor 3
constexpr double kLeastLossDeviation = 0.08;  ///< nats: 6 of them are half a nat

std::string key_of(const Alert& alert) {
  return alert.layer ? fmt::format("{}.{}", name_of(alert.kind), *alert.layer)
                     : std::string{name_of(alert.kind)};
}

std::string growth(double now, double initial) {
  const double ratio = now / initial;
  if (!std::isfinite(ratio) || ratio < 2.0) return {};
  return fmt::format(", {:.0f}-fold since the first step", ratio);
}

Alert nonfinite(std::uint64_t step, Severity severity, std::string message) {
  return {
      .step = step,
      .kind = AlertKind::nonfinite,
      .severity = severity,
      .layer = {},
      .score = std::nan(""),
      .threshold = 0.0,
      .message = std::move(message),
      .action = {},
  };
}

Alert skipped_update(const StepFacts& facts, std::uint64_t in_a_row) {
  if (in_a_row >= Detectors::kManySkips) {
    return nonfinite(facts.step, Severity::critical,
                     fmt::format("{} updates in a row were skipped: a loss or a gradient is not "
                                 "finite; lower optim.lr and resume from an earlier checkpoint",
                                 in_a_row));
  }
  if (facts.is_scaled) {
    return nonfinite(
        facts.step, Severity::info,
        "the update was skipped and the loss scale lowered, which is normal now and then");
  }
  return nonfinite(facts.step, Severity::critical,
                   "the update was skipped: a loss or a gradient is not finite; lower optim.lr "
                   "and resume from an earlier checkpoint if it happens again");
}

Alert rate_jump(const StepFacts& facts, double before) {
  return {
      .step = facts.step,
      .kind = AlertKind::learning_rate,
      .severity = Severity::warning,
      .layer = {},
      .score = facts.lr / before,
      .threshold = kLearningRateJump,
      .message = fmt::format("the learning rate jumped from {:.2e} to {:.2e} in one step; raise it "
                             "over some hundred steps (schedule.warmup)",
                             before, facts.lr),
      .action = {},
  };
}

Alert burst(std::uint64_t step, AlertKind kind, double z, std::string message) {
  return {
      .step = step,
      .kind = kind,
      .severity = Severity::warning,
      .layer = {},
      .score = z,
      .threshold = kBurst,
      .message = std::move(message),
      .action = {},
  };
}

Alert large_logit(std::uint64_t step, std::size_t layer, double logit, double initial) {
  const bool is_saturated = !(logit <= kSaturatedLogit);
  return {
      .step = step,
      .kind = AlertKind::attention_logits,
      .severity = is_saturated ? Severity::critical : Severity::warning,
      .layer = layer,
      .score = logit,
      .threshold = is_saturated ? kSaturatedLogit : kLargeLogit,
      .message = fmt::format("attention logits of block {} reach {:.0f}{}: softmax {}; lower "
                             "optim.lr or turn on model.qk_norm",
                             layer, logit, growth(logit, initial),
                             is_saturated ? "has saturated" : "begins to saturate"),
      .action = {},
  };
}

}  // namespace

void Detectors::raise(Alert alert, std::vector<Alert>& alerts) {
  const auto [known, is_new] =
      raised_.try_emplace(key_of(alert), Raised{alert.step, alert.severity});
  if (!is_new) {
    const bool is_quiet =
        alert.kind != AlertKind::learning_rate && alert.step < known->second.step + kQuietSteps;
    if (is_quiet && alert.severity <= known->second.severity) return;
    known->second = {alert.step, alert.severity};
  }
  alerts.push_back(std::move(alert));
}

std::vector<Alert> Detectors::after_step(const StepFacts& facts) {
  std::vector<Alert> alerts;
  if (facts.step > warmup_ && highest_lr_ > 0.0 && facts.lr > kLearningRateJump * highest_lr_) {
    raise(rate_jump(facts, highest_lr_), alerts);
  }
  highest_lr_ = std::max(highest_lr_, facts.lr);
  if (facts.was_skipped) {
    raise(skipped_update(facts, ++skipped_in_a_row_), alerts);
    return alerts;
  }
  skipped_in_a_row_ = 0;
  // A step without labels has neither loss nor gradient.
  if (std::isnan(facts.loss)) return alerts;
  look_for_gradient_burst(facts, alerts);
  look_for_loss_burst(facts, alerts);
  log_grad_norms_.push(std::log(facts.grad_norm));
  losses_.push(facts.loss);
  return alerts;
}

void Detectors::look_for_gradient_burst(const StepFacts& facts, std::vector<Alert>& alerts) {
  if (!log_grad_norms_.is_full()) return;
  const double log_norm = std::log(facts.grad_norm);
  const double z = robust_z(log_norm, log_grad_norms_.values(), kLeastLogDeviation);
  if (z <= kBurst) return;
  raise(burst(facts.step, AlertKind::gradient_norm, z,
              fmt::format("the gradient norm burst to {:.3g}, {:.1f} times the median of the last "
                          "{} steps; look at this step's data, or lower optim.clip",
                          facts.grad_norm, std::exp(log_norm - median(log_grad_norms_.values())),
                          kRemembered)),
        alerts);
}

void Detectors::look_for_loss_burst(const StepFacts& facts, std::vector<Alert>& alerts) {
  if (!losses_.is_full()) return;
  const double z = robust_z(facts.loss, losses_.values(), kLeastLossDeviation);
  if (z <= kBurst) return;
  raise(burst(facts.step, AlertKind::loss, z,
              fmt::format("the loss burst to {:.3f}, {:.2f} nats above the median of the last {} "
                          "steps; look at this step's data, or lower optim.lr",
                          facts.loss, facts.loss - median(losses_.values()), kRemembered)),
        alerts);
}

std::vector<Alert> Detectors::after_probe(std::uint64_t step, std::span<const double> logits,
                                          std::span<const double> initial_logits) {
  std::vector<Alert> alerts;
  for (std::size_t layer = 0; layer < logits.size(); ++layer) {
    if (logits[layer] <= kLargeLogit) continue;
    raise(large_logit(step, layer, logits[layer], initial_logits[layer]), alerts);
  }
  return alerts;
}

DetectorState Detectors::state() const {
  const auto copy = [](const History& history) {
    return std::vector<double>(history.values().begin(), history.values().end());
  };
  return {highest_lr_, copy(log_grad_norms_), copy(losses_), raised_, skipped_in_a_row_};
}

void Detectors::restore(const DetectorState& state) {
  highest_lr_ = state.highest_lr;
  log_grad_norms_.assign(state.log_grad_norms);
  losses_.assign(state.losses);
  skipped_in_a_row_ = state.skipped_in_a_row;
  raised_ = state.raised;
}

}  // namespace ballast::monitor
