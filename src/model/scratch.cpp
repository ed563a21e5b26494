#include "model/scratch.hpp"

#include <algorithm>

#include "kernels/norm.hpp"
#include "tensor/reuse.hpp"

namespace ballast::model {

ScratchRooms::ScratchRooms(const Block& block, const TransformerOptions& options,
                           std::span<const Arena::Extent> idle, Arena& arena)
    : arena_{&arena} {
  Reuse memory{arena};
  for (const auto& extent : idle) memory.lend(extent);
  const bool is_training = options.mode == Mode::training;
  const bool is_narrow = options.precision.compute != ElementType::fp32;
  const std::size_t tokens = block.shape().tokens();
  const std::size_t dim = block.dim();
  const auto reserve_rooms = [&](RoomSpec::Use use) {
    for (std::size_t i = 0; i < block.sublayers().size(); ++i) {
      const auto specs = block.sublayers()[i]->rooms(options.workers);
      for (std::size_t room = 0; room < specs.size(); ++room) {
        if (specs[room].use != use) continue;
        rooms_[i][room] = memory.reserve(MemoryClass::scratch, specs[room].numel, specs[room].type);
      }
    }
  };

  std::size_t operand_width = dim;
  std::size_t gain_sums = kernels::gain_scratch_numel({tokens, dim});
  for (const auto& sublayer : block.sublayers()) {
    const SublayerSpec& spec = sublayer->spec();
    operand_width = std::max(operand_width, spec.operand_width);
    if (spec.norms_a_token == 0) continue;
    gain_sums = std::max(
        gain_sums, kernels::gain_scratch_numel({tokens * spec.norms_a_token, spec.norm_width}));
  }
  operand_ =
      memory.reserve(MemoryClass::scratch, tokens * operand_width, options.precision.compute);
  sublayer_ = memory.reserve<float>(MemoryClass::scratch, tokens * dim);
  reserve_rooms(RoomSpec::Use::always);
  if (is_narrow) gain_ = arena.reserve<float>(MemoryClass::scratch, dim);
  if (!is_training) return;
  reserve_rooms(RoomSpec::Use::backward);
  gain_sums_ = memory.reserve<float>(MemoryClass::scratch, gain_sums);
  if (is_narrow) {
    gradient_operand_ =
        memory.reserve(MemoryClass::scratch, tokens * dim, options.precision.compute);
  }
}

BlockScratch ScratchRooms::view() const {
  BlockScratch scratch{
      .operand = arena_->view(operand_),
      .sublayer = arena_->view(sublayer_),
      .gain_sums = arena_->view(gain_sums_),
      .gain = arena_->view(gain_),
      .gradient_operand = arena_->view(gradient_operand_),
  };
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    for (std::size_t room = 0; room < kMostRooms; ++room) {
      scratch.rooms[i][room] = arena_->view(rooms_[i][room]);
    }
  }
  return scratch;
}

}  // namespace ballast::model
