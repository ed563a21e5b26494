#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/gemm.hpp"

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

/// Floats of scratch that forward and backward need: a few tiles, linear in seq_len.
[[nodiscard]] std::size_t attention_scratch_numel(const AttentionDims& dims);

/// out = softmax(q kᵀ / sqrt(head_dim)) v within each sequence; a token sees itself and earlier
/// ones, and only those of its own segment when `segments` is given. Computed in tiles of queries,
/// so memory is linear in seq_len (after Dao et al. 2022, FlashAttention).
/// q, out: [tokens, heads, head_dim]; k, v: [tokens, kv_heads, head_dim]; log_sum_exp: [heads,
/// tokens]; segments: [tokens], never decreasing within a sequence, or empty. Returns the largest
/// scaled logit that any token saw.
float attention_forward(const Gemm& gemm, const AttentionDims& dims, std::span<const float> q,
                        std::span<const float> k, std::span<const float> v,
                        std::span<const std::int32_t> segments, std::span<float> out,
                        std::span<float> log_sum_exp, std::span<float> scratch);

/// Gradients of attention_forward, overwriting dq, dk and dv (shapes of q, k and v). `out` and
/// `log_sum_exp` are what the forward wrote; probabilities are computed again.
void attention_backward(const Gemm& gemm, const AttentionDims& dims, std::span<const float> q,
                        std::span<const float> k, std::span<const float> v,
                        std::span<const std::int32_t> segments, std::span<const float> out,
                        std::span<const float> log_sum_exp, std::span<const float> dout,
                        std::span<float> dq, std::span<float> dk, std::span<float> dv,
                        std::span<float> scratch);

}  // namespace ballast::kernels
