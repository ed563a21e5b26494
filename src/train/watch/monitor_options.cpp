#include "train/watch/monitor_options.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "model/flop.hpp"
#include "monitor/footprint.hpp"
#include "train/watch/update_sums.hpp"

namespace ballast::train {

namespace {

/// Tokens that a probe takes on the rank that has the most leaves.
std::size_t capacity(const Config& config, std::size_t ranks) {
  const std::size_t leaves = (config.data.leaves() + ranks - 1) / ranks;
  return leaves * config.data.leaf_micro_batches * probe_tokens_of_micro_batch(config);
}

}  // namespace

std::size_t probe_micro_batches(const Config& config) {
  return config.data.global_batch / config.data.micro_batch;
}

std::size_t probe_tokens_of_micro_batch(const Config& config) {
  const std::size_t parts = probe_micro_batches(config);
  return std::min((config.monitor.tokens + parts - 1) / parts,
                  config.data.micro_batch * config.data.seq_len);
}

monitor::MonitorOptions monitor_options(const Config& config, const model::ModelConfig& model,
                                        std::uint64_t warmup, std::size_t ranks) {
  return {
      .model = {std::string{name_of(model.norm_placement)}, model.qk_norm, model.dim, model.layers},
      .every = config.monitor.every,
      .warmup = warmup,
      .step_flop = model::training_flop_per_token(model, config.data.seq_len, config.optim.freeze) *
                   static_cast<double>(config.data.global_batch * config.data.seq_len),
      .seed = config.run.seed,
      .tokens = probe_tokens_of_micro_batch(config) * probe_micro_batches(config),
      .rank = config.monitor.rank.value_or(monitor::kDefaultRank),
      .capacity = config.monitor.every == 0 ? 0 : capacity(config, ranks),
      .calibration = config.calibration,
      .on_alert = config.monitor.on_alert,
  };
}

monitor::TokenSample probe_sample(const Config& config) {
  return {config.run.seed, probe_tokens_of_micro_batch(config),
          config.data.micro_batch * config.data.seq_len};
}

std::uint64_t monitor_bytes(const monitor::MonitorOptions& options,
                            const fsdp::ShardLayout& layout) {
  return monitor::footprint(options) + UpdateSums::bytes(layout);
}

std::uint64_t settle_held_out(const Config& config, const data::Dataset& dataset) {
  const std::uint64_t tokens = dataset.info().validation_tokens;
  const auto& asked = config.monitor.held_out_every;
  if (!asked) return tokens > 1 ? kDefaultHeldOutEvery : 0;
  if (*asked != 0 && config.monitor.every != 0 && tokens < config.monitor.tokens) {
    throw usage_error(
        "monitor.tokens = {}, but the validation split of '{}' has {} tokens: lower it, or set "
        "monitor.held_out_every = 0",
        config.monitor.tokens, dataset.path().string(), tokens);
  }
  return *asked;
}

}  // namespace ballast::train
