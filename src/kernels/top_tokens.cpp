#include "kernels/top_tokens.hpp"

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/softmax.hpp"

namespace ballast::kernels {

namespace {

/// A logit as tokens are ordered by it.
float ordered(float logit) {
  return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
}

/// Writes the ids of one row, as an insertion sort that keeps no more than it is asked for.
void select(std::span<const float> row, std::span<TokenLoss> top) {
  const auto logit_at = [&](std::size_t place) {
    return ordered(row[static_cast<std::size_t>(top[place].id)]);
  };
  std::size_t found = 0;
  float least = 0.0f;  // of those found
  for (std::size_t token = 0; token < row.size(); ++token) {
    const float logit = ordered(row[token]);
    if (found == top.size() && !(logit > least)) continue;
    std::size_t place = found < top.size() ? found++ : found - 1;
    for (; place > 0 && logit > logit_at(place - 1); --place) top[place].id = top[place - 1].id;
    top[place].id = static_cast<std::int32_t>(token);
    least = logit_at(found - 1);
  }
}

}  // namespace

void top_tokens(std::size_t vocabulary, std::size_t count, std::span<const float> logits,
                std::span<TokenLoss> top, Team* team) {
  if (count == 0 || count > vocabulary) {
    throw internal_error("the {} most probable of {} tokens were asked for", count, vocabulary);
  }
  for_rows(team, top.size() / count, vocabulary, [&](std::size_t first, std::size_t rows) {
    for (std::size_t r = first; r < first + rows; ++r) {
      const auto row = logits.subspan(r * vocabulary, vocabulary);
      const auto best = top.subspan(r * count, count);
      select(row, best);
      const SoftmaxSum softmax = softmax_sum(row);
      for (auto& [id, nll] : best) {
        nll = negative_log_likelihood(softmax, row[static_cast<std::size_t>(id)]);
      }
    }
  });
}

}  // namespace ballast::kernels
