#include "model/flop.hpp"

namespace ballast::model {

std::array<Linear, 7> linears_of_block(const ModelConfig& config) {
  const std::size_t dim = config.dim;
  return {{{"q", dim, dim},
           {"k", config.kv_dim(), dim},
           {"v", config.kv_dim(), dim},
           {"out", dim, dim},
           {"gate", config.ffn, dim},
           {"up", config.ffn, dim},
           {"down", dim, config.ffn}}};
}

Linear head_of(const ModelConfig& config) { return {"head", config.vocabulary, config.dim}; }

double training_flop_per_token(const ModelConfig& config, std::size_t seq_len) {
  std::size_t block = 0;
  for (const Linear& linear : linears_of_block(config)) block += linear.out * linear.in;
  const Linear head = head_of(config);
  const std::size_t products = config.layers * block + head.out * head.in;
  return 6.0 * static_cast<double>(products) +
         6.0 * static_cast<double>(config.layers * seq_len * config.dim);
}

}  // namespace ballast::model
