#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/team.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// A label that is left out of the loss.
inline constexpr std::int32_t kIgnoreLabel = -1;

/// Results for each token: [rows] both; 0 where the label is ignored.
struct TokenLosses {
  std::span<float> nll;      ///< negative log-likelihood of the label, in nats, unweighted
  std::span<float> log_z{};  ///< ln of the softmax's denominator; empty: not computed
};

/// Softmax cross-entropy of `rows` tokens, and its gradient: `dlogits` receives
/// d(Σ weight · nll) / d logits · gradient_scale. logits, dlogits: [rows, vocabulary], the latter
/// of any type, and may be the same memory as logits, which are overwritten then; labels: [rows];
/// weights: [rows] or empty for all ones.
void cross_entropy(std::size_t vocabulary, std::span<const std::int32_t> labels,
                   std::span<const float> weights, float gradient_scale, std::span<float> logits,
                   const TokenLosses& losses, const Elements& dlogits, Team* team = nullptr);

/// The losses alone, to the same bits; `logits` is left as it is.
void cross_entropy_loss(std::size_t vocabulary, std::span<const std::int32_t> labels,
                        std::span<const float> logits, const TokenLosses& losses,
                        Team* team = nullptr);

}  // namespace ballast::kernels
