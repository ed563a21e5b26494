#include "model/flop.hpp"

#include "model/parameters.hpp"
#include "model/sublayers.hpp"

namespace ballast::model {

std::vector<Linear> linears_of_block(const ModelConfig& config, std::size_t layer) {
  std::vector<Linear> linears;
  for (const SublayerKind kind : config.sublayers_of(layer)) {
    for (const TensorSpec& tensor : list_of(kind, config).tensors) {
      if (is_linear(tensor.role)) {
        linears.push_back({tensor.label, tensor.shape.at(0), tensor.shape.at(1)});
      }
    }
  }
  return linears;
}

Linear head_of(const ModelConfig& config) { return {"head", config.vocabulary, config.dim}; }

double training_flop_per_token(const ModelConfig& config, std::size_t seq_len,
                               const Freeze& freeze) {
  const ParameterTable table{config, {}, freeze};
  const Depth lowest = table.lowest_trained();
  const auto product = [&](const ParameterInfo& weight, Depth depth) {
    const std::size_t times = 1u + (depth >= lowest ? 1u : 0u) + (table.trains(weight) ? 1u : 0u);
    return 2 * times * weight.numel;
  };
  std::size_t flop =
      product(table.find(config.tie_embeddings ? "embedding" : "head"), table.head_depth());
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const Depth depth = ParameterTable::depth_of(layer);
    for (const ParameterInfo& row : table.parameters_of_layer(layer)) {
      if (is_linear(row.role)) flop += product(row, depth);
    }
    for (const SublayerKind kind : config.sublayers_of(layer)) {
      flop += (depth >= lowest ? 6u : 2u) * seq_len * list_of(kind, config).attention_dim;
    }
  }
  return static_cast<double>(flop);
}

}  // namespace ballast::model
