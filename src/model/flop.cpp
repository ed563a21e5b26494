#include "model/flop.hpp"

#include "model/parameters.hpp"
#include "model/sublayers.hpp"

namespace ballast::model {

std::vector<Linear> linears_of_block(const ModelConfig& config, std::size_t layer) {
  std::vector<Linear> linears;
  for (const SublayerKind kind : config.sublayers_of(layer)) {
    for (const TensorSpec& tensor : list_of(kind, config).tensors) {
      if (is_linear(tensor.role) && tensor.shape.at(0) != 0) {
        linears.push_back({tensor.label, tensor.shape.at(0), tensor.shape.at(1)});
      }
    }
  }
  return linears;
}

Linear head_of(const ModelConfig& config) { return {"head", config.vocabulary, config.dim}; }

namespace {

/// How many tokens a token sees on average, itself counted half: as if positions were continuous.
double mean_seen(std::size_t seq_len, std::size_t window) {
  const auto tokens = static_cast<double>(seq_len);
  if (window == 0 || window >= seq_len) return tokens / 2.0;
  const auto most = static_cast<double>(window);
  return most - most * most / (2.0 * tokens);
}

}  // namespace

double training_flop_per_token(const ModelConfig& config, std::size_t seq_len,
                               const Freeze& freeze) {
  const ParameterTable table{config, {}, freeze};
  const Depth lowest = table.lowest_trained();
  const auto product = [&](const ParameterInfo& weight, Depth depth) {
    const std::size_t times = 1u + (depth >= lowest ? 1u : 0u) + (table.trains(weight) ? 1u : 0u);
    return 2 * times * weight.numel;
  };
  auto flop = static_cast<double>(
      product(table.find(config.tie_embeddings ? "embedding" : "head"), table.head_depth()));
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const Depth depth = ParameterTable::depth_of(layer);
    for (const ParameterInfo& row : table.parameters_of_layer(layer)) {
      if (is_linear(row.role)) flop += static_cast<double>(product(row, depth));
    }
    for (const SublayerKind kind : config.sublayers_of(layer)) {
      const double seen = mean_seen(seq_len, config.window.of(layer));
      const double times = depth >= lowest ? 12.0 : 4.0;
      flop += times * seen * static_cast<double>(list_of(kind, config).attention_dim);
    }
  }
  return flop;
}

}  // namespace ballast::model
