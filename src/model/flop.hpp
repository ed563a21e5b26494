#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

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

/// What training takes a token, whatever is computed twice: 6 a parameter in matrix products, the
/// head included, and 6 · seq_len · dim for each layer of causal attention.
[[nodiscard]] double training_flop_per_token(const ModelConfig& config, std::size_t seq_len);

}  // namespace ballast::model
