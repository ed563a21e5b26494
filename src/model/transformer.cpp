#include "model/transformer.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "kernels/embedding.hpp"
#include "kernels/norm.hpp"

namespace ballast::model {

using kernels::Store;

Transformer::Transformer(const ModelConfig& config, BatchShape shape, Mode mode,
                         const kernels::Gemm& gemm, Arena& arena)
    : config_{config},
      shape_{shape},
      table_{config},
      rope_{shape.seq_len, config.head_dim(), config.rope_base},
      block_{config, shape, gemm, rope_},
      arena_{&arena},
      loss_head_{config, shape, gemm, arena} {
  reserve(arena, mode);
}

void Transformer::reserve(Arena& arena, Mode mode) {
  const std::size_t tokens = shape_.tokens();
  const auto room = [&](MemoryClass memory_class, std::size_t width) {
    return arena.reserve<float>(memory_class, tokens * width);
  };
  const bool training = mode == Mode::training;
  const std::size_t depths = training ? config_.layers + 1 : 2;
  for (std::size_t i = 0; i < depths; ++i) {
    residuals_.push_back(room(MemoryClass::activations, config_.dim));
  }
  for (std::size_t i = 0; i < (training ? config_.layers : 1); ++i) {
    blocks_.push_back(reserve_block(arena));
  }
  activated_ = room(MemoryClass::scratch, config_.ffn);
  sublayer_ = room(MemoryClass::scratch, config_.dim);
  attention_scratch_ = arena.reserve<float>(
      MemoryClass::scratch,
      kernels::attention_scratch_numel(
          {shape_.sequences, shape_.seq_len, config_.heads, config_.kv_heads, config_.head_dim()}));
  if (has_final_norm()) {
    hidden_ = room(MemoryClass::activations, config_.dim);
    hidden_statistics_ = room(MemoryClass::activations, 2);
  }
  if (!training) return;
  wide_ = room(MemoryClass::scratch, std::max(config_.ffn, config_.dim));
  dq_ = room(MemoryClass::scratch, config_.dim);
  dk_ = room(MemoryClass::scratch, config_.kv_dim());
  dv_ = room(MemoryClass::scratch, config_.kv_dim());
  gradient_ = room(MemoryClass::scratch, config_.dim);
}

Transformer::BlockSlots Transformer::reserve_block(Arena& arena) const {
  const auto room = [&](std::size_t width) {
    return arena.reserve<float>(MemoryClass::activations, shape_.tokens() * width);
  };
  const bool norms = config_.norm_placement != NormPlacement::none;
  const bool pre = config_.norm_placement == NormPlacement::pre;
  const bool post = config_.norm_placement == NormPlacement::post;
  const bool qk_norm = config_.qk_norm;
  return {
      .attention_input = room(pre ? config_.dim : 0),
      .attention_statistics = room(norms ? 2 : 0),
      .q_raw = room(qk_norm ? config_.dim : 0),
      .k_raw = room(qk_norm ? config_.kv_dim() : 0),
      .q_statistics = room(qk_norm ? 2 * config_.heads : 0),
      .k_statistics = room(qk_norm ? 2 * config_.kv_heads : 0),
      .q = room(config_.dim),
      .k = room(config_.kv_dim()),
      .v = room(config_.kv_dim()),
      .log_sum_exp = room(config_.heads),
      .attended = room(config_.dim),
      .attention_sum = room(post ? config_.dim : 0),
      .mid = room(config_.dim),
      .ffn_input = room(pre ? config_.dim : 0),
      .ffn_statistics = room(norms ? 2 : 0),
      .gate = room(config_.ffn),
      .up = room(config_.ffn),
      .ffn_sum = room(post ? config_.dim : 0),
  };
}

BlockActivations Transformer::activations(std::size_t layer) const {
  const BlockSlots& slots = blocks_[std::min(layer, blocks_.size() - 1)];
  const auto view = [&](const Slot& slot) { return arena_->view(slot); };
  return {
      .attention_input = view(slots.attention_input),
      .attention_statistics = view(slots.attention_statistics),
      .q_raw = view(slots.q_raw),
      .k_raw = view(slots.k_raw),
      .q_statistics = view(slots.q_statistics),
      .k_statistics = view(slots.k_statistics),
      .q = view(slots.q),
      .k = view(slots.k),
      .v = view(slots.v),
      .log_sum_exp = view(slots.log_sum_exp),
      .attended = view(slots.attended),
      .attention_sum = view(slots.attention_sum),
      .mid = view(slots.mid),
      .ffn_input = view(slots.ffn_input),
      .ffn_statistics = view(slots.ffn_statistics),
      .gate = view(slots.gate),
      .up = view(slots.up),
      .ffn_sum = view(slots.ffn_sum),
  };
}

BlockScratch Transformer::scratch() const {
  return {
      .activated = arena_->view(activated_),
      .wide = arena_->view(wide_),
      .sublayer = arena_->view(sublayer_),
      .dq = arena_->view(dq_),
      .dk = arena_->view(dk_),
      .dv = arena_->view(dv_),
      .attention = arena_->view(attention_scratch_),
  };
}

std::span<float> Transformer::residual(std::size_t depth) const {
  return arena_->view(residuals_[depth % residuals_.size()]);
}

void Transformer::check(const Batch& batch) const {
  const std::size_t tokens = shape_.tokens();
  if (batch.ids.size() != tokens || batch.labels.size() != tokens ||
      batch.positions.size() != tokens ||
      (config_.document_attention && batch.segments.size() != tokens)) {
    throw internal_error("a batch of {} tokens was given to a model built for {}", batch.ids.size(),
                         tokens);
  }
}

void Transformer::embed(const Batch& batch, ParameterSource& source) {
  const ParameterLease lease{source, kRootUnit};
  const auto root = root_tensors(table_, lease.values());
  kernels::embedding_forward(config_.dim, batch.ids, root.embedding, residual(0));
  if (observer_ != nullptr) observer_->before_blocks(residual(0));
}

void Transformer::forward_blocks(const Batch& batch, ParameterSource& source) {
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    const ParameterLease lease{source, 1 + layer};
    const auto saved = activations(layer);
    const float largest_logit =
        block_.forward(block_tensors(table_, layer, lease.values()), batch, residual(layer), saved,
                       scratch(), residual(layer + 1));
    if (observer_ != nullptr) {
      observer_->after_block(layer, residual(layer + 1), {largest_logit, saved.log_sum_exp});
    }
  }
}

std::span<const float> Transformer::final_hidden(const RootTensors<const float>& root) const {
  const auto last = residual(config_.layers);
  if (!has_final_norm()) return last;
  const auto hidden = arena_->view(hidden_);
  kernels::norm_forward(config_.norm, {shape_.tokens(), config_.dim}, config_.norm_epsilon, last,
                        root.final_norm, hidden, arena_->view(hidden_statistics_));
  return hidden;
}

LossSums Transformer::loss_and_gradient(const Batch& batch, ParameterSource& source,
                                        float gradient_scale) {
  const ParameterLease lease{source, kRootUnit};
  const auto root = root_tensors(table_, lease.values());
  const GradientRoom room = source.gradient_room(kRootUnit);
  const auto gradients = root_tensors(table_, room.values);
  const auto dhidden = arena_->view(gradient_);
  const LossSums sums = loss_head_.forward_backward(
      final_hidden(root), root.head, batch, gradient_scale, dhidden, gradients.head, room.store);
  if (has_final_norm()) {
    kernels::norm_backward(config_.norm, {shape_.tokens(), config_.dim}, residual(config_.layers),
                           root.final_norm, arena_->view(hidden_statistics_), dhidden, dhidden,
                           Store::overwrite, gradients.final_norm, room.store);
  }
  return sums;
}

void Transformer::backward_blocks(const Batch& batch, ParameterSource& source) {
  const auto gradient = arena_->view(gradient_);
  for (std::size_t layer = config_.layers; layer-- > 0;) {
    if (observer_ != nullptr) observer_->add_gradient(layer, gradient);
    const UnitId unit = 1 + layer;
    {
      const ParameterLease lease{source, unit};
      const GradientRoom room = source.gradient_room(unit);
      block_.backward(block_tensors(table_, layer, lease.values()), batch, residual(layer),
                      activations(layer), scratch(), gradient,
                      block_tensors(table_, layer, room.values), room.store);
    }
    source.gradient_ready(unit);
  }
}

void Transformer::embed_backward(const Batch& batch, ParameterSource& source) {
  {
    // The head's gradient lies in the room already; with tied weights the embedding's rows are
    // added to it, otherwise they start at zero where the room says overwrite.
    const ParameterLease lease{source, kRootUnit};
    const GradientRoom room = source.gradient_room(kRootUnit);
    const auto gradients = root_tensors(table_, room.values);
    if (!config_.tie_embeddings && room.store == Store::overwrite) {
      std::ranges::fill(gradients.embedding, 0.0f);
    }
    kernels::embedding_backward(config_.dim, batch.ids, arena_->view(gradient_),
                                gradients.embedding);
  }
  source.gradient_ready(kRootUnit);
}

LossSums Transformer::forward_backward(const Batch& batch, ParameterSource& source,
                                       float gradient_scale) {
  check(batch);
  embed(batch, source);
  forward_blocks(batch, source);
  const LossSums sums = loss_and_gradient(batch, source, gradient_scale);
  backward_blocks(batch, source);
  embed_backward(batch, source);
  return sums;
}

LossSums Transformer::forward(const Batch& batch, ParameterSource& source, std::span<float> nll) {
  check(batch);
  embed(batch, source);
  forward_blocks(batch, source);
  const ParameterLease lease{source, kRootUnit};
  const auto root = root_tensors(table_, lease.values());
  return loss_head_.forward(final_hidden(root), root.head, batch, nll);
}

}  // namespace ballast::model
