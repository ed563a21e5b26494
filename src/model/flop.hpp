#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "model/freeze.hpp"
#include "model/model_config.hpp"

namespace ballast::model {

/// One kind of linear layer, y = x wᵀ with w: [out, in].
struct Linear {
  std::string_view name;
  std::size_t out;
  std::size_t in;
};

/// The linear layers of block `layer`.
[[nodiscard]] std::vector<Linear> linears_of_block(const ModelConfig& config,
                                                   std::size_t layer = 0);
[[nodiscard]] Linear head_of(const ModelConfig& config);

/// FLOP per token of training, without recomputation: 6 per parameter in matrix products, the head
/// included, and 6 · seq_len · dim for each layer of causal attention. Of the 6, 2 are the
/// forward's, 2 compute the gradient of a product's input and 2 that of its weights. Frozen weights
/// need none of the last, and blocks below everything that trains need neither.
[[nodiscard]] double training_flop_per_token(const ModelConfig& config, std::size_t seq_len,
                                             const Freeze& freeze = Freeze::nothing());

}  // namespace ballast::model
