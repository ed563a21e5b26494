#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/manifest.hpp"
#include "comm/communicator.hpp"
#include "monitor/alerts/action.hpp"
#include "monitor/alerts/alert.hpp"
#include "monitor/signals/step_facts.hpp"
#include "train/log/metrics_log.hpp"
#include "train/watch/forward_passes.hpp"
#include "train/watch/instruments.hpp"
#include "train/watch/probe_observer.hpp"

namespace ballast::train {

/// Monitors one step: made before the step, and consumed by `finish` after it. It uses the
/// Instruments, so there is one at a time.
class StepWatch {
 public:
  /// For the step that follows `state`. If the step is probed while there is an alarm, a forward
  /// pass over its samples prepares the shaping. All must outlive the watch. Collective.
  StepWatch(Instruments& instruments, comm::Communicator& world,
            const checkpoint::TrainingState& state, ForwardPasses& passes);
  StepWatch(const StepWatch&) = delete;
  StepWatch& operator=(const StepWatch&) = delete;

  /// The observer of the step; null if it is not probed.
  [[nodiscard]] StepObserver* observer() { return observer_ ? &*observer_ : nullptr; }

  /// Evaluates the outcome of the step, logs its alerts and its probe, and returns what the
  /// training must do now. Collective.
  [[nodiscard]] monitor::Action finish(const monitor::StepFacts& facts, MetricsLog& log) &&;

 private:
  void prepare_shaping(const checkpoint::TrainingState& state, ForwardPasses& passes,
                       std::uint64_t alarm_age);
  [[nodiscard]] std::vector<monitor::Alert> take_probe(const monitor::StepFacts& facts);
  void say_shaping(MetricsLog& log) const;

  Instruments* instruments_;
  comm::Communicator* world_;
  std::uint64_t step_;
  bool was_alarmed_;
  Shaping* shaping_ = nullptr;             ///< null if the step is not shaped
  std::optional<ProbeObserver> observer_;  ///< if it is probed
};

}  // namespace ballast::train
