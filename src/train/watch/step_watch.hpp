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

/// The watch of one step: it begins before the step, has the instruments while that is computed,
/// and is used up by `finish`. There is one at a time.
class StepWatch {
 public:
  /// The step that follows `state`. Where it is probed and there is an alarm, its shaping is
  /// prepared from a look at its samples beforehand. All must outlive the watch. Collective.
  StepWatch(Instruments& instruments, comm::Communicator& world,
            const checkpoint::TrainingState& state, ForwardPasses& passes);
  StepWatch(const StepWatch&) = delete;
  StepWatch& operator=(const StepWatch&) = delete;

  /// Who is to see the step; null if it is not probed.
  [[nodiscard]] StepObserver* observer() { return observer_ ? &*observer_ : nullptr; }

  /// Looks at what became of the step, writes down what there is to say and returns what is to be
  /// done. Collective.
  [[nodiscard]] monitor::Duty finish(const monitor::StepFacts& facts, MetricsLog& log) &&;

 private:
  void prepare_shaping(const checkpoint::TrainingState& state, ForwardPasses& passes,
                       std::uint64_t alarm_age);
  [[nodiscard]] std::vector<monitor::Alert> take_probe(const monitor::StepFacts& facts);
  void say_shaping(MetricsLog& log) const;

  Instruments* instruments_;
  comm::Communicator* world_;
  std::uint64_t step_;
  bool was_alarmed_;
  Shaping* shaping_ = nullptr;             ///< where the step is shaped
  std::optional<ProbeObserver> observer_;  ///< where it is probed
};

}  // namespace ballast::train
