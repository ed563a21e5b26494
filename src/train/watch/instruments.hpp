#pragma once

#include <optional>

#include "fsdp/shard_layout.hpp"
#include "kernels/gemm/gemm.hpp"
#include "monitor/monitor.hpp"
#include "monitor/probe/token_sample.hpp"
#include "train/log/metrics_log.hpp"
#include "train/settings/config.hpp"
#include "train/watch/shaping.hpp"
#include "train/watch/update_sums.hpp"

namespace ballast::train {

/// What a training is watched with: made once, and lent to the watch of one step after the other.
struct Instruments {
  /// `config`, `gemm` and `layout` must outlive this.
  Instruments(const Config& config, const monitor::MonitorOptions& options,
              const kernels::Gemm& gemm, const fsdp::ShardLayout& layout);
  Instruments(const Instruments&) = delete;
  Instruments& operator=(const Instruments&) = delete;

  /// A line of monitor.jsonl: the newest probe.
  void write_probe(MetricsLog& log) const;

  const Config* config;
  monitor::Monitor monitor;
  monitor::TokenSample sample;
  UpdateSums updates;
  std::optional<Shaping> shaping;  ///< where experimental.kss is on
};

}  // namespace ballast::train
