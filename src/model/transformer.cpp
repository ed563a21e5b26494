#include "model/transformer.hpp"

#include <array>

#include "base/error.hpp"

namespace ballast::model {

using kernels::Store;

Transformer::Transformer(const ModelConfig& config, BatchShape shape,
                         const TransformerOptions& options, const kernels::Operations& operations,
                         Arena& arena)
    : config_{config},
      shape_{shape},
      recompute_{options.recompute},
      profile_{options.profile},
      compute_{options.precision.compute},
      operations_{&operations},
      table_{config, options.grouping, options.name},
      block_{config, shape, options.precision.compute, operations},
      arena_{&arena},
      loss_head_{config, shape, compute_, operations, arena},
      activations_{config, shape, options, arena},
      scratch_{reserve_head_and_scratch(options, arena)} {}

/// What lies between the last block and the loss, and the blocks' scratch, which may take what only
/// the loss uses.
ScratchRooms Transformer::reserve_head_and_scratch(const TransformerOptions& options,
                                                   Arena& arena) {
  const std::size_t tokens = shape_.tokens();
  const bool is_training = options.mode == Mode::training;
  const auto kept = is_training ? MemoryClass::activations : MemoryClass::scratch;
  if (has_final_norm()) hidden_statistics_ = arena.reserve<float>(kept, tokens * 2);
  const std::size_t start = arena.planned_bytes();
  // Without a final norm the head reads the stream, rounded where products want another type.
  if (has_final_norm() || options.precision.residual != compute_) {
    hidden_ = arena.reserve(kept, tokens * config_.dim, compute_);
  }
  const std::array idle{loss_head_.logits_extent(), arena.reserved_since(start)};
  if (is_training) gradient_ = arena.reserve<float>(MemoryClass::scratch, tokens * config_.dim);
  return {block_, options, idle, arena};
}

BlockPass Transformer::pass(std::size_t layer, const ParameterLease& lease,
                            const Batch& batch) const {
  return {block_tensors(table_, layer, lease.values()), batch, activations_.residual(layer),
          activations_.of(layer), scratch_.view()};
}

/// The stream at `depth` as observers see it.
std::span<const float> Transformer::shown(std::size_t depth) const {
  return operations_->widened(activations_.residual(depth), scratch_.view().sublayer);
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
  const ParameterLease lease{source, kEmbeddingUnit};
  operations_->embedding_forward(config_.dim, batch.ids, embedding_tensor(table_, lease.values()),
                                 activations_.residual(0));
  if (observer_ != nullptr) observer_->before_blocks(shown(0));
}

void Transformer::forward_blocks(const Batch& batch, ParameterSource& source) {
  const ProfileSpan forward_span{profile_, Region::forward};
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    const ProfileSpan span{profile_, Region::block_forward, {}, numbered(layer)};
    const ParameterLease lease{source, table_.unit_of_layer(layer)};
    const auto block = pass(layer, lease, batch);
    const auto attention = block_.forward(block, activations_.residual(layer + 1));
    if (!recompute_.of(layer).is_none()) shared_layer_ = layer;
    if (observer_ != nullptr) observer_->after_block(layer, shown(layer + 1), attention);
  }
}

ConstElements Transformer::final_hidden(const HeadWeights& weights) const {
  const Elements last = activations_.residual(config_.layers);
  const Elements hidden = arena_->view(hidden_);
  if (!has_final_norm()) {
    return last.type() == compute_ ? last : operations_->rounded(last, hidden);
  }
  operations_->norm_forward(config_.norm_rule(), {shape_.tokens(), config_.dim}, last,
                            operations_->widened(weights.final_norm, scratch_.view().gain), hidden,
                            arena_->view(hidden_statistics_));
  return hidden;
}

LossSums Transformer::loss_and_gradient(const Batch& batch, ParameterSource& source,
                                        float gradient_scale) {
  const ProfileSpan loss_span{profile_, Region::loss};
  const UnitId unit = table_.head_unit();
  const ParameterLease lease{source, unit};
  const auto weights = head_tensors(table_, lease.values());
  const GradientRoom room = source.gradient_room(unit);
  const auto gradients = head_tensors(table_, room.values);
  const auto dhidden = arena_->view(gradient_);
  const LossSums sums =
      loss_head_.forward_backward(final_hidden(weights), weights.head, batch, gradient_scale,
                                  dhidden, gradients.head, room.store);
  if (has_final_norm()) {
    const BlockScratch scratch = scratch_.view();
    operations_->norm_backward(
        config_.norm_rule(), {shape_.tokens(), config_.dim}, activations_.residual(config_.layers),
        operations_->widened(weights.final_norm, scratch.gain), arena_->view(hidden_statistics_),
        dhidden, dhidden, Store::overwrite, {gradients.final_norm, room.store, scratch.gain_sums},
        scratch.gradient_operand);
  }
  return sums;
}

void Transformer::backward_blocks(const Batch& batch, ParameterSource& source) {
  const ProfileSpan backward_span{profile_, Region::backward};
  for (std::size_t layer = config_.layers; layer-- > 0;) {
    if (observer_ != nullptr) add_observed_gradient(layer);
    backward_block(layer, batch, source);
    const UnitId unit = table_.unit_of_layer(layer);
    // The embedding is last, and what shares its unit is complete with it.
    if (!table_.is_end(unit) && layer == table_.first_layer(unit)) source.gradient_ready(unit);
  }
}

void Transformer::add_observed_gradient(std::size_t layer) {
  const auto gradient = arena_->view(gradient_);
  observer_->add_gradient(layer, gradient);
  const Elements operand = scratch_.view().gradient_operand;
  if (!operand.empty()) operations_->convert(ConstElements{gradient}, operand);
}

void Transformer::backward_block(std::size_t layer, const Batch& batch, ParameterSource& source) {
  const ProfileSpan span{profile_, Region::block_backward, {}, numbered(layer)};
  const UnitId unit = table_.unit_of_layer(layer);
  const ParameterLease lease{source, unit};
  const GradientRoom room = source.gradient_room(unit);
  const auto block = pass(layer, lease, batch);
  const Recompute recompute = recompute_.of(layer);
  if (!recompute.is_none()) {
    // After the forward, the last block that recomputes finds its activations still there.
    if (shared_layer_ != layer) {
      const ProfileSpan recompute_span{profile_, Region::recompute, {}, numbered(layer)};
      block_.recompute(recompute, block, activations_.residual(layer + 1));
    }
    shared_layer_.reset();
  }
  block_.backward(block, arena_->view(gradient_), block_tensors(table_, layer, room.values),
                  room.store);
}

void Transformer::embed_backward(const Batch& batch, ParameterSource& source) {
  // With tied weights the head's gradient lies in the room already, and the embedding's rows are
  // added to it; otherwise they start at zero where the room says overwrite.
  const GradientRoom room = source.gradient_room(kEmbeddingUnit);
  const auto dembedding = embedding_tensor(table_, room.values);
  if (!config_.tie_embeddings && room.store == Store::overwrite) operations_->clear(dembedding);
  operations_->embedding_backward(config_.dim, batch.ids, arena_->view(gradient_), dembedding);
  source.gradient_ready(kEmbeddingUnit);
}

LossSums Transformer::forward_backward(const Batch& batch, ParameterSource& source,
                                       float gradient_scale) {
  check(batch);
  embed(batch, source);
  forward_blocks(batch, source);
  const LossSums sums = loss_and_gradient(batch, source, gradient_scale);
  if (!table_.ends_share_a_unit()) source.gradient_ready(table_.head_unit());
  backward_blocks(batch, source);
  embed_backward(batch, source);
  return sums;
}

LossSums Transformer::forward(const Batch& batch, ParameterSource& source, std::span<float> nll) {
  check(batch);
  embed(batch, source);
  forward_blocks(batch, source);
  const ParameterLease lease{source, table_.head_unit()};
  const auto weights = head_tensors(table_, lease.values());
  return loss_head_.forward(final_hidden(weights), weights.head, batch, nll);
}

std::vector<Arena::Extent> Transformer::idle_after_gradients() const {
  std::vector<Arena::Extent> extents;
  for (const UnitInfo& unit : table_.units()) {
    extents.push_back(activations_.kept_by(unit.first_layer, unit.layers));
  }
  return extents;
}

std::optional<NonFinite> Transformer::find_nonfinite() const {
  for (std::size_t depth = 0; depth <= config_.layers; ++depth) {
    if (operations_->all_finite(shown(depth))) continue;
    return NonFinite{depth == 0 ? "embedding" : fmt::format("block.{}", depth - 1), depth};
  }
  if (!loss_head_.losses_are_finite()) return NonFinite{"logits", config_.layers + 1};
  return {};
}

}  // namespace ballast::model
