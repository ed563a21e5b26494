#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/team.hpp"

namespace ballast::kernels {

/// A token and its negative log-likelihood in nats.
struct TokenLoss {
  std::int32_t id;
  float nll;
};

/// The `count` most probable tokens of each row, the most probable first; of equal logits the lower
/// id, and what is no number after all that are one. count: from 1 to the vocabulary; logits:
/// [rows, vocabulary]; top: [rows, count]. Each nll has the bits that cross_entropy_loss gives a
/// label.
void top_tokens(std::size_t vocabulary, std::size_t count, std::span<const float> logits,
                std::span<TokenLoss> top, Team* team = nullptr);

}  // namespace ballast::kernels
