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

/// The monitor of one training: it probes steps and held-out text.
class Monitoring {
 public:
  /// All but `plan` must outlive this.
  Monitoring(const Config& config, const MonitorPlan& plan, comm::Communicator& world,
             const kernels::Gemm& gemm, const fsdp::ShardLayout& layout);

  /// The watch of the step that follows `state`. Collective.
  [[nodiscard]] StepWatch begin(const checkpoint::TrainingState& state, ForwardPasses& passes) {
    return {instruments_, *world_, state, passes};
  }
  /// The factor for the schedule's learning rate.
  [[nodiscard]] double lr_factor() const { return instruments_.monitor.lr_factor(); }

  /// Probes held-out text if that is due before step `step`. Collective.
  void probe_held_out(std::uint64_t step, ForwardPasses& passes, MetricsLog& log);

  /// Probes the present model on the text of `split`, outside of any step. Collective.
  [[nodiscard]] const monitor::Probe& probe(data::Split split, ForwardPasses& passes);

  /// A line for the log: what is probed, how often, and what an alert does.
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
  bool is_anew_ = false;  ///< resumed without the first probe, to which others are compared
};

}  // namespace ballast::train
