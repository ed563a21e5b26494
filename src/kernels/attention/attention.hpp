#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/team.hpp"
#include "kernels/attention/attention_dims.hpp"
#include "kernels/attention/attention_rule.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// The input of attention, in one type that the kernel takes. q: [tokens, heads, head_dim]; k, v:
/// [tokens, kv_heads, head_dim]; segments: [tokens], never decreasing within a sequence, or empty.
struct AttentionInput {
  ConstElements q;
  ConstElements k;
  ConstElements v;
  std::span<const std::int32_t> segments;
};

/// Gradients with the shapes of q, k and v, each of any type.
struct AttentionGradient {
  Elements dq;
  Elements dk;
  Elements dv;
};

/// Floats of scratch that forward and backward need with any kernel: for each worker a few tiles,
/// and the keys and values of one head of one sequence.
[[nodiscard]] std::size_t attention_scratch_numel(const AttentionDims& dims,
                                                  std::size_t workers = 1);

/// out = softmax(logits) v within each sequence, where the logits are q kᵀ / sqrt(head_dim), or
/// what else `rule` makes of the products; a token sees itself and earlier ones, within the rule's
/// window, and only those of its own segment when `segments` is given. Computed in tiles of queries
/// and keys with running maxima and sums (after Dao et al. 2022, FlashAttention), so memory is
/// linear in seq_len. `kernel` is make_panel_kernel's for the type of the input, or any of fp32.
/// out: as q, of any type; log_sum_exp: [heads, tokens]. Returns the largest logit that any token
/// saw. `team` shares the heads of keys of all sequences. Throws an internal Error if the rule or
/// the scratch does not fit.
float attention_forward(const PanelKernel& kernel, const AttentionDims& dims,
                        const AttentionRule& rule, const AttentionInput& input, const Elements& out,
                        std::span<float> log_sum_exp, std::span<float> scratch,
                        Team* team = nullptr);

/// Gradients of attention_forward; they overwrite. `out` and `log_sum_exp` are those that the
/// forward wrote; probabilities are computed again. dout: as q, of the input's type.
void attention_backward(const PanelKernel& kernel, const AttentionDims& dims,
                        const AttentionRule& rule, const AttentionInput& input,
                        const ConstElements& out, std::span<const float> log_sum_exp,
                        const ConstElements& dout, const AttentionGradient& gradient,
                        std::span<float> scratch, Team* team = nullptr);

}  // namespace ballast::kernels
