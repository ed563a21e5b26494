#include "model/activations.hpp"

namespace ballast::model {

namespace {

/// What a tensor belongs to: selective recomputation drops one part.
enum class Part { frame, attention, feed_forward };

[[nodiscard]] bool drops(Recompute recompute, Part part) {
  switch (recompute) {
    case Recompute::none:
      return false;
    case Recompute::full:
      return true;
    case Recompute::attention:
      return part == Part::attention;
    case Recompute::feed_forward:
      return part == Part::feed_forward;
  }
  return false;
}

/// Builds the slots of a block: place(member, part, width, type) finds room for [tokens, width].
template <class Slots, class Place>
Slots lay_out(const ModelConfig& config, const Precision& precision, Place&& place) {
  const bool norms = config.norm_placement != NormPlacement::none;
  const bool post = config.norm_placement == NormPlacement::post;
  const std::size_t qk = config.qk_norm ? 1 : 0;
  const std::size_t dim = config.dim;
  const std::size_t kv_dim = config.kv_dim();
  const ElementType compute = precision.compute;
  const ElementType stream = precision.residual;
  const ElementType fp32 = ElementType::fp32;
  // With the norm behind it, the feed-forward's statistics come of its output, which is kept.
  const Part ffn_norm = post ? Part::frame : Part::feed_forward;
  using S = Slots;
  return {
      .attention_statistics = place(&S::attention_statistics, Part::frame, norms ? 2 : 0, fp32),
      .q_raw = place(&S::q_raw, Part::attention, qk * dim, compute),
      .k_raw = place(&S::k_raw, Part::attention, qk * kv_dim, compute),
      .q_statistics = place(&S::q_statistics, Part::attention, qk * 2 * config.heads, fp32),
      .k_statistics = place(&S::k_statistics, Part::attention, qk * 2 * config.kv_heads, fp32),
      .q = place(&S::q, Part::attention, dim, compute),
      .k = place(&S::k, Part::attention, kv_dim, compute),
      .v = place(&S::v, Part::attention, kv_dim, compute),
      .log_sum_exp = place(&S::log_sum_exp, Part::attention, config.heads, fp32),
      .attended = place(&S::attended, Part::attention, dim, compute),
      .attention_sum = place(&S::attention_sum, Part::frame, post ? dim : 0, stream),
      .mid = place(&S::mid, Part::frame, dim, stream),
      .ffn_statistics = place(&S::ffn_statistics, ffn_norm, norms ? 2 : 0, fp32),
      .gate = place(&S::gate, Part::feed_forward, config.ffn, compute),
      .up = place(&S::up, Part::feed_forward, config.ffn, compute),
      .ffn_sum = place(&S::ffn_sum, Part::frame, post ? dim : 0, stream),
  };
}

}  // namespace

Activations::Activations(const ModelConfig& config, BatchShape shape,
                         const TransformerOptions& options, Arena& arena)
    : arena_{&arena} {
  const bool training = options.mode == Mode::training;
  const RecomputePolicy policy = training ? options.recompute : RecomputePolicy::full();
  const auto room = [&](MemoryClass memory_class, std::size_t width, ElementType type) {
    return arena.reserve(memory_class, shape.tokens() * width, type);
  };
  for (std::size_t i = 0; i < (training ? config.layers + 1 : 2); ++i) {
    residuals_.push_back(room(training ? MemoryClass::activations : MemoryClass::scratch,
                              config.dim, options.precision.residual));
  }
  using Member = Slot Slots::*;
  const auto shared = lay_out<Slots>(
      config, options.precision, [&](Member, Part part, std::size_t width, ElementType type) {
        return drops(policy.what(), part) ? room(MemoryClass::scratch, width, type) : Slot{};
      });
  starts_.push_back(arena.planned_bytes());
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    blocks_.push_back(lay_out<Slots>(
        config, options.precision,
        [&](Member member, Part part, std::size_t width, ElementType type) {
          return drops(policy.of(layer), part) ? shared.*member
                                               : room(MemoryClass::activations, width, type);
        }));
    starts_.push_back(arena.planned_bytes());
  }
}

Arena::Extent Activations::kept_by(std::size_t first, std::size_t layers) const {
  const std::size_t start = starts_.at(first);
  return {start, starts_.at(first + layers) - start};
}

Elements Activations::residual(std::size_t depth) const {
  return view(residuals_[depth % residuals_.size()]);
}

BlockActivations Activations::of(std::size_t layer) const {
  const Slots& slots = blocks_[layer];
  return {
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
      .ffn_statistics = view(slots.ffn_statistics),
      .gate = view(slots.gate),
      .up = view(slots.up),
      .ffn_sum = view(slots.ffn_sum),
  };
}

}  // namespace ballast::model
