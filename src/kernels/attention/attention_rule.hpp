#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/attention/attention_dims.hpp"

namespace ballast::kernels {

/// Which keys a token sees, and what becomes of the products of its query with them before the
/// softmax. As initialized: all keys up to the token's own, and products over sqrt(head_dim).
struct AttentionRule {
  /// Factor of the products; 0: 1 / sqrt(head_dim).
  float scale = 0.0f;
  /// A token sees itself and the window − 1 tokens before it; 0: all before it.
  std::size_t window = 0;
  /// Scaled logits become softcap · tanh(logit / softcap) (Gemma Team 2024, "Gemma 2", section 2);
  /// 0: they stay as they are.
  float softcap = 0.0f;
  /// [heads]: slope · (key − query), in tokens, is added to the scaled logit (ALiBi; Press et al.
  /// 2022, section 3); empty: nothing is. Must outlive the rule.
  std::span<const float> slopes{};

  /// Whether scaled products are not yet the logits.
  [[nodiscard]] bool bends_logits() const { return softcap > 0.0f || !slopes.empty(); }
  /// Of a query head; 0 without slopes.
  [[nodiscard]] float slope(std::size_t head) const { return slopes.empty() ? 0.0f : slopes[head]; }
};

/// The first key within the window of the token at `query`, both counted from the sequence's start.
[[nodiscard]] constexpr std::size_t first_in_window(std::size_t window, std::size_t query) {
  return window == 0 || query < window ? 0 : query + 1 - window;
}

/// Throws an internal Error if a number of the rule makes no sense, if there are slopes for another
/// number of heads, or a soft cap and slopes at once, of which nobody says which comes first.
void require_valid(const AttentionRule& rule, const AttentionDims& dims);

/// The factor of the products.
[[nodiscard]] float attention_scale(const AttentionRule& rule, const AttentionDims& dims);

/// The slopes of ALiBi (Press et al. 2022, section 3): 2^(−8 i / heads) for i = 1 .. heads. For a
/// number of heads that is no power of two those of the next lower power, and behind them every
/// other one of twice that power, as in their code (`get_slopes`).
[[nodiscard]] std::vector<float> alibi_slopes(std::size_t heads);

}  // namespace ballast::kernels
