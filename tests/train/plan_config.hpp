#pragma once

#include <cstddef>
#include <cstdint>

#include "base/process.hpp"
#include "support/world.hpp"
#include "train/settings/config.hpp"

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

/// Sizes that divide nothing evenly, a vocabulary of bytes, two leaves a rank and step.
[[nodiscard]] inline train::Config uneven_config(std::size_t ranks) {
  train::Config config;
  config.model.vocabulary = 259;
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
  config.model.vocabulary = 259;
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
