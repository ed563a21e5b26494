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

/// The monitor of a training and what feeds it. Made once; the StepWatch of each step uses it.
struct Instruments {
  /// `config`, `gemm` and `layout` must outlive this.
  Instruments(const Config& config, const monitor::MonitorOptions& options,
              const kernels::Gemm& gemm, const fsdp::ShardLayout& layout);
  Instruments(const Instruments&) = delete;
  Instruments& operator=(const Instruments&) = delete;

  /// Writes the newest probe as a line of monitor.jsonl.
  void write_probe(MetricsLog& log) const;

  const Config* config;
  monitor::Monitor monitor;
  monitor::TokenSample sample;
  UpdateSums updates;
  std::optional<Shaping> shaping;  ///< if experimental.kss is above 0
};

}  // namespace ballast::train
