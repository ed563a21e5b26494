#pragma once

#include <cstddef>
#include <cstdint>

#include "data/dataset.hpp"
#include "fsdp/shard_layout.hpp"
#include "monitor/monitor.hpp"
#include "monitor/probe/token_sample.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Micro-batches that a probe sees: those of a step; a probe of held-out text takes as many.
[[nodiscard]] std::size_t probe_micro_batches(const Config& config);
/// Tokens that a probe takes of each micro-batch.
[[nodiscard]] std::size_t probe_tokens_of_micro_batch(const Config& config);
/// Which tokens those are.
[[nodiscard]] monitor::TokenSample probe_sample(const Config& config);

/// What a job's monitor is settled on.
struct MonitorPlan {
  monitor::MonitorOptions options;
  std::uint64_t held_out_every = 0;  ///< steps between probes of held-out text; 0: none
};

/// What the configuration asks of the monitor of a job of `ranks`, whose model has the vocabulary
/// of its dataset and whose schedule warms up for `warmup` steps.
[[nodiscard]] monitor::MonitorOptions monitor_options(const Config& config,
                                                      const model::ModelConfig& model,
                                                      std::uint64_t warmup, std::size_t ranks);

/// How often held-out text is probed: as asked for, or by default where the dataset has some. A
/// usage Error if more tokens are asked for than there are.
[[nodiscard]] std::uint64_t settle_held_out(const Config& config, const data::Dataset& dataset);

/// Bytes that the monitor takes on a rank, the update's sums included.
[[nodiscard]] std::uint64_t monitor_bytes(const monitor::MonitorOptions& options,
                                          const fsdp::ShardLayout& layout);

}  // namespace ballast::train
