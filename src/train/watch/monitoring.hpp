#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "data/split.hpp"
#include "fsdp/shard_layout.hpp"
#include "monitor/monitor.hpp"
#include "train/log/metrics_log.hpp"
#include "train/settings/config.hpp"
#include "train/watch/forward_passes.hpp"
#include "train/watch/monitor_options.hpp"
#include "train/watch/probe_observer.hpp"
#include "train/watch/shaping.hpp"

namespace ballast::train {

/// The monitor of one training: what it is shown of the steps, and what becomes of its word.
class Monitoring {
 public:
  /// All but `plan` must outlive this.
  Monitoring(const Config& config, const MonitorPlan& plan, comm::Communicator& world,
             const kernels::Gemm& gemm, const fsdp::ShardLayout& layout);

  /// Where the next step is probed and there is an alarm: prepares the shaping of it, from a look
  /// at its samples beforehand. To be called before observer_for. Collective.
  void look_ahead(const checkpoint::TrainingState& state, ForwardPasses& passes);
  /// Who is to see step `step`; null if it is not probed.
  [[nodiscard]] StepObserver* observer_for(std::uint64_t step);
  /// What the schedule's learning rate is to be multiplied with.
  [[nodiscard]] double lr_factor() const { return monitor_.lr_factor(); }

  /// Looks at a step, writes down what there is to say and returns what is to be done. Collective.
  [[nodiscard]] monitor::Duty after_step(const monitor::StepFacts& facts, MetricsLog& log);

  /// Looks at held-out text where that is due before step `step`. Collective.
  void look_at_held_out(std::uint64_t step, ForwardPasses& passes, MetricsLog& log);

  /// A probe of the model as it is, on the text of `split`, outside of any step. Collective.
  [[nodiscard]] const monitor::Probe& look_at(data::Split split, ForwardPasses& passes);

  /// A line about what it covers.
  [[nodiscard]] std::string describe() const;

  /// For checkpoints.
  [[nodiscard]] std::string state() const;
  void restore(const std::string& state, const std::string& source);

 private:
  [[nodiscard]] std::vector<monitor::Alert> look(const monitor::StepFacts& facts, MetricsLog& log);
  void show(data::Split split, ForwardPasses& passes);
  void write_probe(MetricsLog& log);
  void say_shaping(std::uint64_t step, MetricsLog& log);

  const Config* config_;
  std::uint64_t held_out_every_;
  comm::Communicator* world_;
  monitor::Monitor monitor_;
  UpdateSums updates_;
  ProbeObserver observer_;
  std::optional<Shaping> shaping_;  ///< where experimental.kss is on
  std::uint64_t shaped_ = 0;        ///< the step that shaping_ was last prepared for
  bool was_alarmed_ = false;        ///< in the step under way
  std::uint64_t probed_ = 0;        ///< the step that observer_ was last handed out for
  bool is_anew_ = false;            ///< resumed without what probes are held against
};

}  // namespace ballast::train
