#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "monitor/alerts/alert.hpp"
#include "monitor/signals/history.hpp"
#include "monitor/signals/step_facts.hpp"

namespace ballast::monitor {

/// When an alert was last raised, and how loudly.
struct Raised {
  std::uint64_t step = 0;
  Severity severity = Severity::info;
};

/// What detectors need to go on after a resume as if the run had never stopped.
struct DetectorState {
  double highest_lr = 0.0;
  std::vector<double> log_grad_norms;
  std::vector<double> losses;
  std::map<std::string, Raised> raised;  ///< by kind, and layer if it has one
  std::uint64_t skipped_in_a_row = 0;    ///< updates
};

/// What needs no calibration: jumps, bursts, and values that nothing healthy has. Each kind of
/// alert (of each layer) is raised again only after kQuietSteps, or when it gets worse.
class Detectors {
 public:
  static constexpr std::uint64_t kQuietSteps = 100;
  /// Steps that a burst is held against.
  static constexpr std::size_t kRemembered = 64;
  /// Skipped updates in a row from which on lowering the loss scale is no answer any more.
  static constexpr std::uint64_t kManySkips = 10;

  /// Up to step `warmup` the learning rate may rise as it likes.
  explicit Detectors(std::uint64_t warmup) : warmup_{warmup} {}

  [[nodiscard]] std::vector<Alert> after_step(const StepFacts& facts);
  /// logits: the largest attention logit of each block; initial_logits: at the first step.
  [[nodiscard]] std::vector<Alert> after_probe(std::uint64_t step, std::span<const double> logits,
                                               std::span<const double> initial_logits);

  [[nodiscard]] DetectorState state() const;
  void restore(const DetectorState& state);

 private:
  void look_for_gradient_burst(const StepFacts& facts, std::vector<Alert>& alerts);
  void look_for_loss_burst(const StepFacts& facts, std::vector<Alert>& alerts);
  void raise(Alert alert, std::vector<Alert>& alerts);

  std::uint64_t warmup_;
  double highest_lr_ = 0.0;
  History log_grad_norms_{kRemembered};
  History losses_{kRemembered};
  std::map<std::string, Raised> raised_;
  std::uint64_t skipped_in_a_row_ = 0;
};

}  // namespace ballast::monitor
