#pragma once

#include <span>
#include <string_view>

#include "base/words.hpp"
#include "monitor/alerts/alert.hpp"

namespace ballast::monitor {

/// What is done when an alert calls for it; all of them write it down.
enum class OnAlert { log, checkpoint, lower_lr, stop };

constexpr auto words_of(EnumTag<OnAlert>) {
  return std::to_array<Word<OnAlert>>({{OnAlert::log, "log"},
                                       {OnAlert::checkpoint, "checkpoint"},
                                       {OnAlert::lower_lr, "lower_lr"},
                                       {OnAlert::stop, "stop"}});
}
[[nodiscard]] constexpr std::string_view name_of(OnAlert on_alert) { return word_of(on_alert); }

/// How an alert's action begins where the learning rate was lowered.
inline constexpr std::string_view kLoweredRate = "learning rate from now on";

/// What a training has to do now.
enum class Duty { none, save, stop };

/// Carries out what `monitor.on_alert` asks for, for risk, large attention logits and jumps of the
/// learning rate. Everything else is written down only.
class Responder {
 public:
  /// Alerts that come closer are written down only: the rate is not halved twice for one cause, nor
  /// are good checkpoints pushed out by those of a run that is breaking.
  static constexpr std::uint64_t kStepsBetweenActs = 100;

  explicit Responder(OnAlert on_alert) : on_alert_{on_alert} {}

  /// Answers the alerts of one step and notes in each what was done.
  [[nodiscard]] Duty answer(std::span<Alert> alerts);

  struct State {
    double lr_factor = 1.0;
    std::uint64_t last_act = 0;  ///< step; 0: none
  };
  /// What the schedule's learning rate is to be multiplied with.
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
