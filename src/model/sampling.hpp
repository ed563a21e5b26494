#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ballast::model {

/// How the next token is drawn from the logits.
struct SamplingRule {
  double temperature = 0.8;  ///< 0: always the likeliest
  std::size_t top_k = 0;     ///< only the k likeliest; 0: all
  double top_p = 1.0;        ///< only the likeliest that together reach this mass (Holtzman 2020)
};

/// Draws a token. Depends on (logits, rule, seed, position) alone. logits: [vocabulary].
[[nodiscard]] std::int32_t sample_token(std::span<const float> logits, const SamplingRule& rule,
                                        std::uint64_t seed, std::uint64_t position);

}  // namespace ballast::model
