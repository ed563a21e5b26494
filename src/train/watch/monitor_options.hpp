#pragma once

#include <cstddef>
#include <cstdint>

#include "data/dataset.hpp"
#include "fsdp/shard_layout.hpp"
#include "monitor/monitor.hpp"
#include "monitor/probe/token_sample.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// The number of micro-batches of a probe: that of a step, also for held-out text.
[[nodiscard]] std::size_t probe_micro_batches(const Config& config);
/// Tokens that a probe takes of each micro-batch.
[[nodiscard]] std::size_t probe_tokens_of_micro_batch(const Config& config);
/// Chooses these tokens.
[[nodiscard]] monitor::TokenSample probe_sample(const Config& config);

/// The monitor's part of a Job.
struct MonitorPlan {
  monitor::MonitorOptions options;
  std::uint64_t held_out_every = 0;  ///< steps between probes of held-out text; 0: none
};

/// The options of the monitor on a job of `ranks` ranks. `model` has the vocabulary of the dataset;
/// `warmup`: steps of the schedule's warm-up.
[[nodiscard]] monitor::MonitorOptions monitor_options(const Config& config,
                                                      const model::ModelConfig& model,
                                                      std::uint64_t warmup, std::size_t ranks);

/// Steps between probes of held-out text: as configured, or the default if the dataset has held-out
/// text, else 0. A usage Error if a probe asks for more tokens than there are.
[[nodiscard]] std::uint64_t settle_held_out(const Config& config, const data::Dataset& dataset);

/// Bytes of the monitor on a rank, with those of UpdateSums.
[[nodiscard]] std::uint64_t monitor_bytes(const monitor::MonitorOptions& options,
                                          const fsdp::ShardLayout& layout);

}  // namespace ballast::train
