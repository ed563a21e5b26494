#pragma once

#include <span>
#include <string_view>

#include "base/words.hpp"
#include "monitor/alerts/alert.hpp"

namespace ballast::monitor {

/// What is done about an alert that calls for action; the alert is logged in any case.
enum class OnAlert { log, checkpoint, lower_lr, stop };

constexpr auto words_of(EnumTag<OnAlert>) {
  return std::to_array<Word<OnAlert>>({{OnAlert::log, "log"},
                                       {OnAlert::checkpoint, "checkpoint"},
                                       {OnAlert::lower_lr, "lower_lr"},
                                       {OnAlert::stop, "stop"}});
}
[[nodiscard]] constexpr std::string_view name_of(OnAlert on_alert) { return word_of(on_alert); }

/// How Alert::action begins if the learning rate was lowered.
inline constexpr std::string_view kLoweredRate = "learning rate from now on";

/// What a training has to do after a step. The lower learning rate is not among it: see
/// lr_factor().
enum class Action { none, save, stop };

/// Carries out what `monitor.on_alert` asks for, for risk, large attention logits and jumps of the
/// learning rate. All other alerts are only logged.
class Responder {
 public:
  /// Alerts that come sooner after an action are only logged: so the rate is not halved twice for
  /// one cause, and the checkpoints of a breaking run do not replace all good ones.
  static constexpr std::uint64_t kStepsBetweenActs = 100;

  explicit Responder(OnAlert on_alert) : on_alert_{on_alert} {}

  /// Answers the alerts of one step and notes in each what was done.
  [[nodiscard]] Action answer(std::span<Alert> alerts);

  struct State {
    double lr_factor = 1.0;
    std::uint64_t last_act = 0;  ///< step; 0: none
  };
  /// The factor for the schedule's learning rate.
  [[nodiscard]] double lr_factor() const { return state_.lr_factor; }
  [[nodiscard]] const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  [[nodiscard]] bool may_act(const Alert& alert);
  void lower_rate(Alert& alert);

  OnAlert on_alert_;
  State state_;
};

}  // namespace ballast::monitor
