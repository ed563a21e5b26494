#pragma once

#include <cstdint>
#include <string>

#include "checkpoint/manifest.hpp"
#include "comm/communicator.hpp"
#include "data/split.hpp"
#include "fsdp/shard_layout.hpp"
#include "monitor/monitor.hpp"
#include "train/log/metrics_log.hpp"
#include "train/settings/config.hpp"
#include "train/watch/forward_passes.hpp"
#include "train/watch/instruments.hpp"
#include "train/watch/monitor_options.hpp"
#include "train/watch/step_watch.hpp"

namespace ballast::train {

/// The monitor of one training: what it is shown of steps and of held-out text.
class Monitoring {
 public:
  /// All but `plan` must outlive this.
  Monitoring(const Config& config, const MonitorPlan& plan, comm::Communicator& world,
             const kernels::Gemm& gemm, const fsdp::ShardLayout& layout);

  /// The watch of the step that follows `state`. Collective.
  [[nodiscard]] StepWatch begin(const checkpoint::TrainingState& state, ForwardPasses& passes) {
    return {instruments_, *world_, state, passes};
  }
  /// What the schedule's learning rate is to be multiplied with.
  [[nodiscard]] double lr_factor() const { return instruments_.monitor.lr_factor(); }

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
  void show(data::Split split, ForwardPasses& passes);

  const Config* config_;
  std::uint64_t held_out_every_;
  comm::Communicator* world_;
  Instruments instruments_;
  bool is_anew_ = false;  ///< resumed without what probes are held against
};

}  // namespace ballast::train
