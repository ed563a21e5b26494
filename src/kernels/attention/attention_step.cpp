#include "kernels/attention/attention_step.hpp"

#include <algorithm>

#include "kernels/attention/attention_logits.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::kernels {

namespace {

void softmax(std::span<float> scores) {
  const float largest = *std::ranges::max_element(scores);
  double total = 0.0;
  for (float& score : scores) {
    score = static_cast<float>(portable_exp(static_cast<double>(score - largest)));
    total += static_cast<double>(score);
  }
  scale(scores, static_cast<float>(1.0 / total), scores);
}

}  // namespace

void attention_step(const Gemm& gemm, const AttentionDims& dims, const AttentionRule& rule,
                    const AttentionStep& step, std::span<float> out) {
  require_valid(rule, dims);
  const std::size_t query = dims.seq_len - 1;
  const std::size_t first = first_in_window(rule.window, query);
  const std::size_t seen = dims.seq_len - first;
  const auto scores = step.scores.first(seen);
  const float factor = attention_scale(rule, dims);
  const auto row_of = [&](auto heads, std::size_t head) {
    return matrix(heads.data() + head * dims.head_dim, 1, dims.head_dim);
  };
  for (std::size_t head = 0; head < dims.heads; ++head) {
    const std::size_t kv_head = head / (dims.heads / dims.kv_heads);
    const auto cached = [&](std::span<const float> cache) {
      return MatrixView<const float>{cache.data() + first * dims.kv_dim() + kv_head * dims.head_dim,
                                     seen, dims.head_dim, dims.kv_dim()};
    };
    gemm.multiply(row_of(step.query, head), Transpose::no, cached(step.keys), Transpose::yes,
                  matrix(scores.data(), 1, seen), Store::overwrite, factor);
    if (rule.bends_logits()) {
      const SeenCols all{0, seen};
      finish_logits({scores.data(), seen, 1, &all, 1.0f, rule.softcap, rule.slope(head),
                     distance(first, query), -1.0f});
    }
    softmax(scores);
    gemm.multiply(matrix<const float>(scores.data(), 1, seen), Transpose::no, cached(step.values),
                  Transpose::no, row_of(out, head), Store::overwrite);
  }
}

}  // namespace ballast::kernels
