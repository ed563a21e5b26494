#include "model/activations.hpp"

#include "model/sublayers.hpp"

namespace ballast::model {

namespace {

/// Calls field(slot, width, type, is_dropped) for everything that a block's forward may leave, in
/// the order of its memory. is_dropped: the block computes it again.
template <class Slots, class Field>
void each_field(const ModelConfig& config, const Precision& precision, std::size_t layer,
                Recompute recompute, Slots& slots, Field&& field) {
  const bool is_post = config.has_stream_norms();
  const auto kinds = config.sublayers_of(layer);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    auto& sublayer = slots[i];
    const SublayerSpec spec = list_of(kinds[i], config);
    const bool is_dropped = recompute.drops(kinds[i]);
    const std::size_t normed = config.has_output_norms() ? 1 : 0;
    // With the norm behind it, the statistics come of the sublayer's output, which is kept.
    field(sublayer.statistics, config.has_input_norms() || is_post ? 2 : 0, ElementType::fp32,
          is_post ? recompute.is_full() : is_dropped);
    for (std::size_t kept = 0; kept < spec.kept.size(); ++kept) {
      const bool is_fp32 = spec.kept[kept].type == KeptSpec::Type::fp32;
      field(sublayer.own[kept], spec.kept[kept].width,
            is_fp32 ? ElementType::fp32 : precision.compute, is_dropped);
    }
    field(sublayer.result, normed * config.dim, precision.compute, recompute.is_full());
    field(sublayer.output_statistics, normed * 2, ElementType::fp32, recompute.is_full());
    field(sublayer.sum, is_post ? config.dim : 0, precision.residual, recompute.is_full());
    // Parallel sublayers read one stream: none lies between them.
    const bool is_last = i + 1 == kinds.size() || config.parallel_sublayers;
    field(sublayer.stream, is_last ? 0 : config.dim, precision.residual, recompute.is_full());
  }
}

}  // namespace

Activations::Activations(const ModelConfig& config, BatchShape shape,
                         const TransformerOptions& options, std::size_t first_kept, Arena& arena)
    : arena_{&arena} {
  const bool training = options.mode == Mode::training;
  const std::size_t kept_from = training ? first_kept : config.layers;
  const Recompute dropped = kept_from > 0 ? Recompute::full() : options.recompute.what();
  const auto room = [&](MemoryClass memory_class, std::size_t width, ElementType type) {
    return arena.reserve(memory_class, shape.tokens() * width, type);
  };
  for (std::size_t i = 0; i < (training ? config.layers + 1 : 2); ++i) {
    residuals_.push_back(room(training ? MemoryClass::activations : MemoryClass::scratch,
                              config.dim, options.precision.residual));
  }
  Slots shared{};
  each_field(config, options.precision, 0, dropped, shared,
             [&](Slot& slot, std::size_t width, ElementType type, bool is_dropped) {
               if (is_dropped) slot = room(MemoryClass::scratch, width, type);
             });
  starts_.push_back(arena.planned_bytes());
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    Slots slots = shared;
    const Recompute what = layer < kept_from ? Recompute::full() : options.recompute.of(layer);
    each_field(config, options.precision, layer, what, slots,
               [&](Slot& slot, std::size_t width, ElementType type, bool is_dropped) {
                 if (!is_dropped) slot = room(MemoryClass::activations, width, type);
               });
    blocks_.push_back(slots);
    starts_.push_back(arena.planned_bytes());
  }
}

Arena::Extent Activations::kept_by(std::size_t first, std::size_t layers) const {
  const std::size_t start = starts_.at(first);
  return {start, starts_.at(first + layers) - start};
}

Elements Activations::residual(std::size_t depth) const {
  return arena_->view(residuals_[depth % residuals_.size()]);
}

BlockActivations Activations::of(std::size_t layer) const {
  BlockActivations views;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const SublayerFields<Slot>& slots = blocks_[layer][i];
    views[i].statistics = arena_->view(slots.statistics);
    for (std::size_t kept = 0; kept < kMostKept; ++kept) {
      views[i].own[kept] = arena_->view(slots.own[kept]);
    }
    views[i].result = arena_->view(slots.result);
    views[i].output_statistics = arena_->view(slots.output_statistics);
    views[i].sum = arena_->view(slots.sum);
    views[i].stream = arena_->view(slots.stream);
  }
  return views;
}

}  // namespace ballast::model
