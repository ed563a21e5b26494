#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "model/block.hpp"
#include "model/transformer_options.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Reserves the rooms of a BlockScratch.
class ScratchRooms {
 public:
  /// `idle`: what of `arena`, which must outlive this, holds nothing while blocks are at work.
  ScratchRooms(const Block& block, const TransformerOptions& options,
               std::span<const Arena::Extent> idle, Arena& arena);

  [[nodiscard]] BlockScratch view() const;

 private:
  using Slot = Arena::Slot<float>;

  const Arena* arena_;
  std::size_t stream_;  ///< elements of the residual stream
  Slot sublayer_{}, gain_sums_{}, branches_{}, gain_{};
  Arena::ElementSlot operand_{}, gradient_operand_{};
  std::array<std::array<Arena::ElementSlot, kMostRooms>, kMostSublayers> rooms_{};
};

}  // namespace ballast::model
