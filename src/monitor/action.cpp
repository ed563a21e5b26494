#include "monitor/action.hpp"

#include <fmt/format.h>

namespace ballast::monitor {

namespace {

constexpr double kCut = 0.5;

bool calls_for_action(const Alert& alert) {
  switch (alert.kind) {
    case AlertKind::risk:
    case AlertKind::attention_logits:
    case AlertKind::learning_rate:
      return true;
    case AlertKind::nonfinite:
    case AlertKind::gradient_norm:
    case AlertKind::loss:
      return alert.severity == Severity::critical;
  }
  return false;
}

}  // namespace

std::string_view name_of(OnAlert on_alert) {
  switch (on_alert) {
    case OnAlert::log:
      return "log";
    case OnAlert::checkpoint:
      return "checkpoint";
    case OnAlert::lower_lr:
      return "lower_lr";
    case OnAlert::stop:
      return "stop";
  }
  return "?";
}

Duty Responder::answer(std::span<Alert> alerts) {
  Duty duty = Duty::none;
  for (Alert& alert : alerts) {
    alert.action = "logged";
    if (!calls_for_action(alert)) continue;
    switch (on_alert_) {
      case OnAlert::log:
        break;
      case OnAlert::checkpoint:
        alert.action = "checkpoint saved";
        duty = Duty::save;
        break;
      case OnAlert::lower_lr:
        lower_rate(alert);
        break;
      case OnAlert::stop:
        alert.action = "training stopped";
        duty = Duty::stop;
        break;
    }
  }
  return duty;
}

void Responder::lower_rate(Alert& alert) {
  const bool is_jump = alert.kind == AlertKind::learning_rate;
  const bool was_cut = state_.last_cut != 0 && alert.step < state_.last_cut + kStepsBetweenCuts;
  // A jump is taken back however soon it follows: it breaks a run within a few steps.
  if (was_cut && !is_jump) return;
  state_.lr_factor *= is_jump ? 1.0 / alert.score : kCut;
  state_.last_cut = alert.step;
  alert.action =
      fmt::format("learning rate from now on {:.3g} times the schedule's", state_.lr_factor);
}

}  // namespace ballast::monitor
