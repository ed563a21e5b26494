#include "model/model_config.hpp"

#include "base/error.hpp"

namespace ballast::model {

void ModelConfig::validate() const {
  const auto require_positive = [](const char* key, std::size_t value) {
    if (value == 0) throw usage_error("{} must be at least 1", key);
  };
  require_positive("model.dim", dim);
  require_positive("model.layers", layers);
  require_positive("model.heads", heads);
  require_positive("model.kv_heads", kv_heads);
  require_positive("model.ffn", ffn);
  if (dim % heads != 0) {
    throw usage_error("model.dim = {} is not divisible by model.heads = {}", dim, heads);
  }
  if (heads % kv_heads != 0) {
    throw usage_error("model.heads = {} is not divisible by model.kv_heads = {}", heads, kv_heads);
  }
  if (head_dim() % 2 != 0) {
    throw usage_error(
        "model.dim / model.heads = {} is odd: rotary position embeddings turn pairs, so choose an "
        "even head size",
        head_dim());
  }
}

}  // namespace ballast::model
