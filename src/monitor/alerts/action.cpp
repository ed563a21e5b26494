#include "monitor/alerts/action.hpp"

#include <fmt/format.h>

namespace ballast::monitor {

namespace {

constexpr double kCut = 0.5;

/// Skipped updates have a guard of their own, and one bad batch makes a burst.
bool calls_for_action(AlertKind kind) {
  return kind == AlertKind::risk || kind == AlertKind::attention_logits ||
         kind == AlertKind::learning_rate;
}

}  // namespace

Action Responder::answer(std::span<Alert> alerts) {
  Action action = Action::none;
  for (Alert& alert : alerts) {
    alert.action = "logged";
    if (!calls_for_action(alert.kind)) continue;
    if (on_alert_ == OnAlert::stop) {
      alert.action = "training stopped";
      action = Action::stop;
    } else if (on_alert_ == OnAlert::checkpoint && may_act(alert)) {
      alert.action = "checkpoint saved";
      action = Action::save;
    } else if (on_alert_ == OnAlert::lower_lr && may_act(alert)) {
      lower_rate(alert);
    }
  }
  return action;
}

/// A jump is answered however soon it follows: it breaks a run within a few steps.
bool Responder::may_act(const Alert& alert) {
  const bool is_soon = state_.last_act != 0 && alert.step < state_.last_act + kStepsBetweenActs;
  if (is_soon && alert.kind != AlertKind::learning_rate) return false;
  state_.last_act = alert.step;
  return true;
}

void Responder::lower_rate(Alert& alert) {
  state_.lr_factor *= alert.kind == AlertKind::learning_rate ? 1.0 / alert.score : kCut;
  alert.action = fmt::format("{} {:.3g} times the schedule's", kLoweredRate, state_.lr_factor);
}

}  // namespace ballast::monitor
