#pragma once

#include <span>

#include "kernels/attention/attention_rule.hpp"
#include "kernels/gemm/gemm.hpp"

namespace ballast::kernels {

/// Attention of the newest token alone, as text grows token by token; all in fp32.
struct AttentionStep {
  std::span<const float> query;   ///< [heads, head_dim]
  std::span<const float> keys;    ///< [seq_len, kv_heads, head_dim] or more, with the token's own
  std::span<const float> values;  ///< as keys
  std::span<float> scores;        ///< room for seq_len
};

/// out: [heads, head_dim], what attention_forward gives the last of the dims.seq_len tokens of one
/// sequence without segments. Throws an internal Error where require_valid does.
void attention_step(const Gemm& gemm, const AttentionDims& dims, const AttentionRule& rule,
                    const AttentionStep& step, std::span<float> out);

}  // namespace ballast::kernels
