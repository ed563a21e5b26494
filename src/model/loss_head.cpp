#include "model/loss_head.hpp"

#include <algorithm>

#include "kernels/cross_entropy.hpp"

namespace ballast::model {

using kernels::matrix;
using kernels::Operand;
using kernels::Store;
using kernels::Transpose;

namespace {

/// Logits of one chunk stay within this many floats (32 MiB) where the vocabulary allows it, and
/// are no more than products need to run at their rate.
constexpr std::size_t kChunkFloats = std::size_t{8} << 20;
constexpr std::size_t kFewestChunkTokens = 64;
constexpr std::size_t kMostChunkTokens = 512;

/// `log_z` may be empty.
LossSums sums_of(const Batch& batch, std::span<const float> nll, std::span<const float> log_z) {
  LossSums sums;
  for (std::size_t t = 0; t < nll.size(); ++t) {
    if (batch.labels[t] == kernels::kIgnoreLabel) continue;
    const double weight = batch.weights.empty() ? 1.0 : static_cast<double>(batch.weights[t]);
    sums.weighted_nll.add(weight * static_cast<double>(nll[t]));
    sums.weight.add(weight);
    if (!log_z.empty()) sums.weighted_log_z.add(weight * static_cast<double>(log_z[t]));
    ++sums.labels;
  }
  return sums;
}

}  // namespace

std::size_t loss_chunk_tokens(std::size_t tokens, std::size_t vocabulary) {
  return std::min(tokens,
                  std::clamp(kChunkFloats / vocabulary, kFewestChunkTokens, kMostChunkTokens));
}

LossHead::LossHead(const ModelConfig& config, BatchShape shape, ElementType compute,
                   const kernels::Operations& operations, Arena& arena)
    : dim_{config.dim},
      vocabulary_{config.vocabulary},
      tokens_{shape.tokens()},
      chunk_{loss_chunk_tokens(tokens_, vocabulary_)},
      operations_{&operations},
      arena_{&arena},
      nll_{arena.reserve<float>(MemoryClass::scratch, tokens_)},
      log_z_{arena.reserve<float>(MemoryClass::scratch, tokens_)} {
  const std::size_t start = arena.planned_bytes();
  logits_ = arena.reserve<float>(MemoryClass::scratch, chunk_ * vocabulary_);
  if (compute != ElementType::fp32) {
    dlogits_ = arena.reserve(MemoryClass::scratch, chunk_ * vocabulary_, compute);
  }
  logits_extent_ = arena.reserved_since(start);
}

template <class Visit>
void LossHead::for_each_chunk(Visit&& visit) const {
  for (std::size_t first = 0; first < tokens_; first += chunk_) {
    visit(Chunk{first, std::min(chunk_, tokens_ - first)});
  }
}

Operand LossHead::rows_of(const ConstElements& hidden, Chunk chunk) const {
  return {hidden.subspan(chunk.first * dim_, chunk.tokens * dim_), chunk.tokens, dim_};
}

std::span<float> LossHead::logits_of(Chunk chunk, const ConstElements& hidden,
                                     const ConstElements& head) const {
  const auto logits = arena_->view(logits_).first(chunk.tokens * vocabulary_);
  operations_->multiply(rows_of(hidden, chunk), Transpose::no, Operand{head, vocabulary_, dim_},
                        Transpose::yes, matrix(logits.data(), chunk.tokens, vocabulary_),
                        Store::overwrite);
  return logits;
}

LossSums LossHead::forward_backward(const ConstElements& hidden, const ConstElements& head,
                                    const Batch& batch, float gradient_scale,
                                    std::span<float> dhidden, std::span<float> dhead,
                                    Store store) const {
  const auto nll = arena_->view(nll_);
  const auto log_z = arena_->view(log_z_);
  const Elements dlogits_room = arena_->view(dlogits_);
  for_each_chunk([&](Chunk chunk) {
    const auto logits = logits_of(chunk, hidden, head);
    const auto weights =
        batch.weights.empty() ? batch.weights : batch.weights.subspan(chunk.first, chunk.tokens);
    const Elements gradient =
        dlogits_room.empty() ? Elements{logits} : dlogits_room.first(logits.size());
    operations_->cross_entropy(
        vocabulary_, batch.labels.subspan(chunk.first, chunk.tokens), weights, gradient_scale,
        logits, {nll.subspan(chunk.first, chunk.tokens), log_z.subspan(chunk.first, chunk.tokens)},
        gradient);
    const Operand dlogits{gradient, chunk.tokens, vocabulary_};
    operations_->multiply(dlogits, Transpose::no, Operand{head, vocabulary_, dim_}, Transpose::no,
                          matrix(dhidden.data() + chunk.first * dim_, chunk.tokens, dim_),
                          Store::overwrite);
    if (dhead.empty()) return;
    operations_->multiply(dlogits, Transpose::yes, rows_of(hidden, chunk), Transpose::no,
                          matrix(dhead.data(), vocabulary_, dim_),
                          chunk.first == 0 ? store : Store::add);
  });
  return sums_of(batch, nll, log_z);
}

LossSums LossHead::forward(const ConstElements& hidden, const ConstElements& head,
                           const Batch& batch, std::span<float> nll) const {
  for_each_chunk([&](Chunk chunk) {
    const auto logits = logits_of(chunk, hidden, head);
    operations_->cross_entropy_loss(vocabulary_, batch.labels.subspan(chunk.first, chunk.tokens),
                                    logits, nll.subspan(chunk.first, chunk.tokens));
  });
  return sums_of(batch, nll, {});
}

bool LossHead::losses_are_finite() const { return operations_->all_finite(arena_->view(nll_)); }

}  // namespace ballast::model
