#pragma once

#include <cstddef>

#include "train/settings/config.hpp"

namespace ballast::test {

/// A small training of odd sizes. Five leaves a step: the last wave is short on two, three and four
/// ranks.
[[nodiscard]] inline train::Config odd_training(std::size_t layers = 3) {
  train::Config config;
  config.model.dim = 36;
  config.model.layers = layers;
  config.model.heads = 6;
  config.model.kv_heads = 2;
  config.model.ffn = 101;
  config.data.seq_len = 24;
  config.data.micro_batch = 1;
  config.data.global_batch = 5;
  return config;
}

}  // namespace ballast::test
