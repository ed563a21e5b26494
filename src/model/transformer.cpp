#include "model/transformer.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "model/step_program.hpp"

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
      table_{config, options.grouping, options.freeze, options.name},
      lowest_trained_{table_.lowest_trained()},
      block_{config, shape, options.precision.compute, operations},
      embedding_{config, shape.seq_len},
      arena_{&arena},
      loss_head_{config, shape, options, operations, arena},
      activations_{config, shape, options, first_backward_layer(), arena},
      scratch_{reserve_head_and_scratch(options, arena)} {}

/// Blocks before it are not part of a backward.
std::size_t Transformer::first_backward_layer() const {
  const Depth first_block = ParameterTable::depth_of(0);
  return std::min(std::max(lowest_trained_, first_block) - first_block, config_.layers);
}

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

BlockPass Transformer::pass(std::size_t layer, const UnitLeases& leases, const Batch& batch) const {
  return {layer,
          block_tensors(table_, layer, leases),
          batch,
          activations_.residual(layer),
          activations_.of(layer),
          scratch_.view()};
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
  const UnitLeases leases{source, table_, kEmbeddingDepth};
  const auto [tokens, positions] =
      embedding_.rows(batch.ids, batch.positions, embedding_tensors(table_, leases));
  operations_->embedding_forward(config_.dim, tokens, positions, activations_.residual(0));
  if (observer_ != nullptr) observer_->before_blocks(shown(0));
}

void Transformer::forward_blocks(const Batch& batch, ParameterSource& source) {
  const ProfileSpan forward_span{profile_, Region::forward};
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    const ProfileSpan span{profile_, Region::block_forward, {}, numbered(layer)};
    const UnitLeases leases{source, table_, ParameterTable::depth_of(layer)};
    auto block = pass(layer, leases, batch);
    block.linears = linear_observer_;
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

Transformer::Output::Output(const Transformer& model, ParameterSource& source)
    : leases_{source, model.table(), model.table().head_depth()},
      weights_{head_tensors(model.table(), leases_)},
      input_{model.final_hidden(weights_), weights_.head, model.config_.dim,
             model.config_.logit_softcap} {
  if (model.linear_observer_ != nullptr) model.linear_observer_->before_head(input_.hidden);
}

LossSums Transformer::loss_and_gradient(const Batch& batch, ParameterSource& source,
                                        float gradient_scale, const HeadInput* teacher) {
  const ProfileSpan loss_span{profile_, Region::loss};
  const Output output{*this, source};
  const UnitGradients rooms{source, table_, table_.head_depth()};
  const auto gradients = head_tensors(table_, rooms);
  const auto dhidden = arena_->view(gradient_);
  const LossSums sums = loss_head_.forward_backward(
      output.input(), batch, gradient_scale, {dhidden, gradients.head, rooms.store()}, teacher);
  if (has_final_norm()) {
    const BlockScratch scratch = scratch_.view();
    operations_->norm_backward(
        config_.norm_rule(), {shape_.tokens(), config_.dim}, activations_.residual(config_.layers),
        operations_->widened(output.weights_.final_norm, scratch.gain),
        arena_->view(hidden_statistics_), dhidden, dhidden, Store::overwrite,
        {gradients.final_norm, rooms.store(), scratch.gain_sums}, scratch.gradient_operand);
  }
  return sums;
}

/// Down to the last block that trains, or that something below it needs the gradient of.
void Transformer::backward_blocks(const Batch& batch, ParameterSource& source) {
  const ProfileSpan backward_span{profile_, Region::backward};
  for (std::size_t layer = config_.layers; layer-- > 0;) {
    if (layer < first_backward_layer()) return;
    if (observer_ != nullptr) add_observed_gradient(layer);
    backward_block(layer, batch, source);
    complete(ParameterTable::depth_of(layer), source);
  }
}

/// The backward has left `depth`: what lies there and above is complete.
void Transformer::complete(Depth depth, ParameterSource& source) const {
  for (const UnitId id : table_.units_at(depth)) {
    const UnitInfo& unit = table_.unit(id);
    if (unit.trains && unit.lowest == depth) source.gradient_ready(id);
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
  const Depth depth = ParameterTable::depth_of(layer);
  const UnitLeases leases{source, table_, depth};
  const UnitGradients rooms{source, table_, depth};
  const auto block = pass(layer, leases, batch);
  const Recompute recompute = recompute_.of(layer);
  if (!recompute.is_none()) {
    // After the forward, the last block that recomputes finds its activations still there.
    if (shared_layer_ != layer) {
      const ProfileSpan recompute_span{profile_, Region::recompute, {}, numbered(layer)};
      block_.recompute(recompute, block, activations_.residual(layer + 1));
    }
    shared_layer_.reset();
  }
  block_.backward(block, arena_->view(gradient_), block_tensors(table_, layer, rooms),
                  rooms.store());
}

void Transformer::embed_backward(const Batch& batch, ParameterSource& source) {
  const UnitGradients rooms{source, table_, kEmbeddingDepth};
  embedding_.backward(*operations_, batch, arena_->view(gradient_),
                      embedding_tensors(table_, rooms), rooms.store());
  complete(kEmbeddingDepth, source);
}

LossSums Transformer::forward_backward(const Batch& batch, ParameterSource& source,
                                       float gradient_scale, const HeadInput* teacher) {
  check(batch);
  embed(batch, source);
  forward_blocks(batch, source);
  const LossSums sums = loss_and_gradient(batch, source, gradient_scale, teacher);
  complete(table_.head_depth(), source);
  backward_blocks(batch, source);
  if (lowest_trained_ == kEmbeddingDepth) embed_backward(batch, source);
  return sums;
}

Transformer::Output Transformer::output(const Batch& batch, ParameterSource& source) {
  check(batch);
  embed(batch, source);
  forward_blocks(batch, source);
  return {*this, source};
}

LossSums Transformer::forward(const Batch& batch, ParameterSource& source, std::span<float> nll,
                              const HeadInput* teacher) {
  return loss_head_.forward(output(batch, source).input(), batch, nll, teacher, logits_observer_);
}

std::vector<Arena::Extent> Transformer::idle_after_gradients() const {
  std::vector<Arena::Extent> extents(table_.units().size());
  std::size_t end = config_.layers;  // of the layers whose activations are not given away yet
  for (const Visit& visit : training_program(table_)) {
    if (visit.gradient != Gradient::complete) continue;
    const Depth depth = table_.unit(visit.unit).lowest;
    const std::size_t first = depth == kEmbeddingDepth ? 0 : depth - 1;
    extents[visit.unit] = activations_.kept_by(first, end - first);
    end = first;
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
