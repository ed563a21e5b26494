#include "model/flop.hpp"

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

double training_flop_per_token(const ModelConfig& config, std::size_t seq_len) {
  const Linear head = head_of(config);
  std::size_t products = head.out * head.in;
  std::size_t attended = 0;
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    for (const Linear& linear : linears_of_block(config, layer)) products += linear.out * linear.in;
    for (const SublayerKind kind : config.sublayers_of(layer)) {
      attended += seq_len * list_of(kind, config).attention_dim;
    }
  }
  return 6.0 * static_cast<double>(products) + 6.0 * static_cast<double>(attended);
}

}  // namespace ballast::model
