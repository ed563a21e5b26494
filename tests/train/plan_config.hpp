#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/process.hpp"
#include "support/world.hpp"
#include "train/plan/job.hpp"

namespace ballast::test {

/// What all ranks take together at one moment, pages that they share counted once.
[[nodiscard]] inline std::int64_t host_memory() {
  world().barrier({"moment of measurement"});
  const auto own = static_cast<std::int64_t>(memory_use().pss);
  return world().sum(own, {"memory of the host"});
}

// The address sanitizer keeps an account of its own, some 8 MiB a rank, and what was freed before a
// measurement: then a training may add much less than it takes.
#ifdef __SANITIZE_ADDRESS__
inline constexpr double kBookkeeping = 10.0 * (1 << 20);
inline constexpr double kLeastShare = 0.5;
#else
inline constexpr double kBookkeeping = 0.0;
inline constexpr double kLeastShare = 0.95;
#endif

/// The vocabulary of a dataset of bytes.
inline constexpr std::size_t kBytesVocabulary = 259;

/// The model of a config, trained on bytes.
[[nodiscard]] inline model::ModelConfig model_on_bytes(const train::Config& config) {
  model::ModelConfig model = config.model;
  model.vocabulary = kBytesVocabulary;
  return model;
}

/// The job of a config on a dataset of bytes and ranks that do not exist, of one thread each.
[[nodiscard]] inline train::Job job_on(const train::Config& config, fsdp::Topology topology,
                                       std::size_t rank = 0) {
  return train::make_job(config, kBytesVocabulary, {std::move(topology), rank, {}, {}});
}

/// Sizes that divide nothing evenly, two leaves a rank and step.
[[nodiscard]] inline train::Config uneven_config(std::size_t ranks) {
  train::Config config;
  config.model.dim = 36;
  config.model.layers = 5;
  config.model.heads = 6;
  config.model.kv_heads = 2;
  config.model.ffn = 101;
  config.data.seq_len = 24;
  config.data.micro_batch = 2;
  config.data.global_batch = 4 * ranks;
  return config;
}

/// A model whose weights outweigh what the allocator does on the side, one leaf a rank and step.
[[nodiscard]] inline train::Config wide_config(std::size_t layers, std::size_t seq_len) {
  train::Config config;
  config.model.dim = 512;
  config.model.layers = layers;
  config.model.heads = 8;
  config.model.kv_heads = 8;
  config.model.ffn = 1376;
  config.data.seq_len = seq_len;
  config.data.micro_batch = 1;
  config.data.global_batch = static_cast<std::size_t>(world().size());
  return config;
}

}  // namespace ballast::test
