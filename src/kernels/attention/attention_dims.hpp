#pragma once

#include <cstddef>

namespace ballast::kernels {

/// Causal grouped-query attention: query head h reads key/value head h / (heads / kv_heads).
struct AttentionDims {
  std::size_t sequences;
  std::size_t seq_len;
  std::size_t heads;
  std::size_t kv_heads;
  std::size_t head_dim;

  [[nodiscard]] std::size_t tokens() const { return sequences * seq_len; }
  [[nodiscard]] std::size_t dim() const { return heads * head_dim; }
  [[nodiscard]] std::size_t kv_dim() const { return kv_heads * head_dim; }
};

}  // namespace ballast::kernels
