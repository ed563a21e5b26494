#include "model/loss_head.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "model/cross_entropy_loss.hpp"

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

}  // namespace

std::size_t loss_chunk_tokens(std::size_t tokens, std::size_t vocabulary) {
  return std::min(tokens,
                  std::clamp(kChunkFloats / vocabulary, kFewestChunkTokens, kMostChunkTokens));
}

LossHead::LossHead(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
                   const kernels::Operations& operations, Arena& arena)
    : vocabulary_{config.vocabulary},
      tokens_{shape.tokens()},
      chunk_{loss_chunk_tokens(tokens_, vocabulary_)},
      loss_{options.loss ? options.loss : std::make_shared<const CrossEntropyLoss>()},
      operations_{&operations},
      arena_{&arena} {
  const bool is_training = options.mode == Mode::training;
  const auto reserve = [&](std::size_t numel) {
    return arena.reserve<float>(MemoryClass::scratch, numel);
  };
  if (is_training) nll_ = reserve(tokens_);
  const std::size_t start = arena.planned_bytes();
  logits_ = reserve(chunk_ * vocabulary_);
  if (is_training && options.precision.compute != ElementType::fp32) {
    dlogits_ = arena.reserve(MemoryClass::scratch, chunk_ * vocabulary_, options.precision.compute);
  }
  if (is_training && config.logit_softcap > 0.0f) capped_ = reserve(chunk_ * vocabulary_);
  if (loss_->wants_teacher()) teacher_ = reserve(chunk_ * vocabulary_);
  scratch_ = reserve(chunk_ * loss_->floats_a_token());
  logits_extent_ = arena.reserved_since(start);
}

template <class Visit>
void LossHead::for_each_chunk(Visit&& visit) const {
  for (std::size_t first = 0; first < tokens_; first += chunk_) {
    visit(Chunk{first, std::min(chunk_, tokens_ - first)});
  }
}

void LossHead::require_teacher(const HeadInput* teacher) const {
  if (loss_->wants_teacher() == (teacher != nullptr)) return;
  throw internal_error("the loss '{}' was computed {} a teacher", loss_->figures().front(),
                       teacher == nullptr ? "without" : "with");
}

Operand LossHead::rows_of(const HeadInput& input, Chunk chunk) {
  return {input.hidden.subspan(chunk.first * input.dim, chunk.tokens * input.dim), chunk.tokens,
          input.dim};
}

Operand LossHead::head_of(const HeadInput& input) const {
  return {input.head, vocabulary_, input.dim};
}

/// Of one chunk, in `room`.
std::span<float> LossHead::logits_of(Chunk chunk, const HeadInput& input,
                                     Arena::Slot<float> room) const {
  const auto logits = arena_->view(room).first(chunk.tokens * vocabulary_);
  operations_->multiply(rows_of(input, chunk), Transpose::no, head_of(input), Transpose::yes,
                        matrix(logits.data(), chunk.tokens, vocabulary_), Store::overwrite);
  if (input.softcap > 0.0f) operations_->softcap_forward(input.softcap, logits);
  return logits;
}

/// What a loss reads of a chunk; no gradient is asked for.
LossChunk LossHead::prepare(Chunk chunk, const HeadInput& input, const Batch& batch,
                            std::span<float> nll, const HeadInput* teacher) const {
  const auto [first, tokens] = chunk;
  LossChunk given{
      .vocabulary = vocabulary_,
      .logits = logits_of(chunk, input, logits_),
      .labels = batch.labels.subspan(first, tokens),
      .weights = batch.weights.empty() ? batch.weights : batch.weights.subspan(first, tokens),
      .nll = nll.subspan(first, tokens),
      .scratch = arena_->view(scratch_).first(tokens * loss_->floats_a_token()),
  };
  if (teacher != nullptr) given.teacher = logits_of(chunk, *teacher, teacher_);
  return given;
}

LossSums LossHead::forward_backward(const HeadInput& input, const Batch& batch,
                                    float gradient_scale, const HeadGradient& gradient,
                                    const HeadInput* teacher) const {
  require_teacher(teacher);
  const auto nll = arena_->view(nll_);
  const Elements room = arena_->view(dlogits_);
  LossSums sums = loss_->no_sums();
  for_each_chunk([&](Chunk chunk) {
    LossChunk given = prepare(chunk, input, batch, nll, teacher);
    given.gradient_scale = gradient_scale;
    given.dlogits = room.empty() ? Elements{given.logits} : room.first(given.logits.size());
    const auto capped = arena_->view(capped_).first(input.softcap > 0.0f ? given.logits.size() : 0);
    std::ranges::copy(given.logits.first(capped.size()), capped.begin());
    loss_->compute(given, *operations_, sums);
    if (!capped.empty()) operations_->softcap_backward(input.softcap, capped, given.dlogits);
    const Operand dlogits{given.dlogits, chunk.tokens, vocabulary_};
    float* const dhidden = gradient.hidden.data() + chunk.first * input.dim;
    operations_->multiply(dlogits, Transpose::no, head_of(input), Transpose::no,
                          matrix(dhidden, chunk.tokens, input.dim), Store::overwrite);
    if (gradient.head.empty()) return;
    operations_->multiply(dlogits, Transpose::yes, rows_of(input, chunk), Transpose::no,
                          matrix(gradient.head.data(), vocabulary_, input.dim),
                          chunk.first == 0 ? gradient.store : Store::add);
  });
  return sums;
}

LossSums LossHead::forward(const HeadInput& input, const Batch& batch, std::span<float> nll,
                           const HeadInput* teacher, LogitsObserver* observer) const {
  require_teacher(teacher);
  LossSums sums = loss_->no_sums();
  for_each_chunk([&](Chunk chunk) {
    const LossChunk given = prepare(chunk, input, batch, nll, teacher);
    if (observer != nullptr) {
      observer->after_logits({chunk.first, vocabulary_, given.logits}, *operations_);
    }
    loss_->compute(given, *operations_, sums);
  });
  return sums;
}

bool LossHead::losses_are_finite() const { return operations_->all_finite(arena_->view(nll_)); }

}  // namespace ballast::model
