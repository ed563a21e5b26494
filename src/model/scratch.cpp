#include "model/scratch.hpp"

#include <algorithm>

#include "kernels/attention/attention.hpp"
#include "kernels/norm.hpp"
#include "tensor/reuse.hpp"

namespace ballast::model {

ScratchRooms::ScratchRooms(const ModelConfig& config, BatchShape shape,
                           const TransformerOptions& options, std::span<const Arena::Extent> idle,
                           Arena& arena)
    : arena_{&arena} {
  Reuse memory{arena};
  for (const auto& extent : idle) memory.lend(extent);
  const ElementType compute = options.precision.compute;
  const std::size_t dim = config.dim;
  const std::size_t kv_dim = config.kv_dim();
  const auto room = [&](std::size_t width) {
    return memory.reserve<float>(MemoryClass::scratch, shape.tokens() * width);
  };
  const auto compute_room = [&](std::size_t width) {
    return memory.reserve(MemoryClass::scratch, shape.tokens() * width, compute);
  };
  const bool training = options.mode == Mode::training;
  const bool narrow = compute != ElementType::fp32;
  operand_ = compute_room(std::max(config.ffn, dim));
  sublayer_ = room(dim);
  attention_ = memory.reserve<float>(
      MemoryClass::scratch,
      kernels::attention_scratch_numel(
          {shape.sequences, shape.seq_len, config.heads, config.kv_heads, config.head_dim()},
          std::max(options.workers, workers_of(options.team))));
  if (narrow) gain_ = arena.reserve<float>(MemoryClass::scratch, dim);
  if (!training) return;
  dq_ = room(dim);
  dk_ = room(kv_dim);
  dv_ = compute_room(kv_dim);
  // Of the stream, or of heads.
  gain_sums_ = memory.reserve<float>(
      MemoryClass::scratch,
      std::max(kernels::gain_scratch_numel({shape.tokens(), dim}),
               kernels::gain_scratch_numel({shape.tokens() * config.heads, config.head_dim()})));
  if (narrow) gradient_operand_ = compute_room(dim);
}

BlockScratch ScratchRooms::view() const {
  return {
      .operand = arena_->view(operand_),
      .sublayer = arena_->view(sublayer_),
      .dq = arena_->view(dq_),
      .dk = arena_->view(dk_),
      .dv = arena_->view(dv_),
      .gain_sums = arena_->view(gain_sums_),
      .attention = arena_->view(attention_),
      .gain = arena_->view(gain_),
      .gradient_operand = arena_->view(gradient_operand_),
  };
}

}  // namespace ballast::model
