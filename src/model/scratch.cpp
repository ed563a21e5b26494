#include "model/scratch.hpp"

#include <algorithm>

#include "kernels/norm.hpp"
#include "tensor/reuse.hpp"

namespace ballast::model {

namespace {

/// What sublayers ask of the rooms that they share.
struct Widest {
  std::size_t operand, gradient;  ///< elements a token
  std::size_t vector;             ///< elements of a gain or bias
  std::size_t gain_sums;          ///< floats for the gradient of one
};

Widest widest_of(const Block& block) {
  const std::size_t tokens = block.shape().tokens();
  const std::size_t dim = block.dim();
  Widest widest{dim, dim, dim, kernels::gain_scratch_numel({tokens, dim})};
  for (const auto& sublayer : block.sublayers()) {
    const SublayerSpec& spec = sublayer->spec();
    widest.operand = std::max(widest.operand, spec.operand_width);
    widest.gradient = std::max(widest.gradient, spec.gradient_width);
    for (const TensorSpec& tensor : spec.tensors) {
      if (is_linear(tensor.role)) continue;
      const std::size_t width = tensor.shape.at(0);
      const std::size_t rows = tensor.role == TensorRole::gain ? spec.norms_a_token : 1;
      widest.vector = std::max(widest.vector, width);
      widest.gain_sums =
          std::max(widest.gain_sums, kernels::gain_scratch_numel({tokens * rows, width}));
    }
  }
  return widest;
}

}  // namespace

ScratchRooms::ScratchRooms(const Block& block, const TransformerOptions& options,
                           std::span<const Arena::Extent> idle, Arena& arena)
    : arena_{&arena}, stream_{block.shape().tokens() * block.dim()} {
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

  const Widest widest = widest_of(block);
  operand_ =
      memory.reserve(MemoryClass::scratch, tokens * widest.operand, options.precision.compute);
  sublayer_ = memory.reserve<float>(MemoryClass::scratch, tokens * dim);
  reserve_rooms(RoomSpec::Use::always);
  if (is_narrow) gain_ = arena.reserve<float>(MemoryClass::scratch, widest.vector);
  if (!is_training) return;
  reserve_rooms(RoomSpec::Use::backward);
  gain_sums_ = memory.reserve<float>(MemoryClass::scratch, widest.gain_sums);
  if (block.is_parallel()) branches_ = memory.reserve<float>(MemoryClass::scratch, tokens * dim);
  if (is_narrow) {
    gradient_operand_ =
        memory.reserve(MemoryClass::scratch, tokens * widest.gradient, options.precision.compute);
  }
}

BlockScratch ScratchRooms::view() const {
  const Elements gradient = arena_->view(gradient_operand_);
  BlockScratch scratch{
      .operand = arena_->view(operand_),
      .sublayer = arena_->view(sublayer_),
      .gain_sums = arena_->view(gain_sums_),
      .branches = arena_->view(branches_),
      .gain = arena_->view(gain_),
      .gradient_operand = gradient.first(std::min(gradient.size(), stream_)),
      .sublayer_gradient = gradient,
  };
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    for (std::size_t room = 0; room < kMostRooms; ++room) {
      scratch.rooms[i][room] = arena_->view(rooms_[i][room]);
    }
  }
  return scratch;
}

}  // namespace ballast::model
