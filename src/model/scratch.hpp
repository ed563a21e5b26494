#pragma once

#include <cstddef>
#include <span>

#include "model/batch.hpp"
#include "model/config.hpp"
#include "model/transformer_options.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Rooms that all blocks share; what only a backward writes to is empty in evaluation.
struct BlockScratch {
  Elements operand;            ///< [tokens, max(ffn, dim)] a product's operand, compute type
  std::span<float> wide;       ///< [tokens, max(ffn, dim)], backward; where compute is narrow, also
                               ///< forward: products on their way to be rounded
  std::span<float> sublayer;   ///< [tokens, dim]
  std::span<float> dq;         ///< [tokens, dim], backward
  std::span<float> dk;         ///< [tokens, kv_dim], backward
  std::span<float> dv;         ///< [tokens, kv_dim], backward
  std::span<float> attention;  ///< kernels::attention_scratch_numel

  // Empty where compute is in fp32, which needs no copies.
  std::span<float> staging;   ///< [tokens, 2 dim + 2 kv_dim] what attention reads and writes
  std::span<float> gain;      ///< [dim] of a norm
  Elements gradient_operand;  ///< [tokens, dim] a gradient, rounded, backward
};

/// Hands out a room piece by piece; empty pieces where there is no room.
class Pieces {
 public:
  explicit Pieces(std::span<float> room) : rest_{room} {}

  [[nodiscard]] std::span<float> take(std::size_t numel) {
    if (rest_.empty()) return {};
    const auto piece = rest_.first(numel);
    rest_ = rest_.subspan(numel);
    return piece;
  }

 private:
  std::span<float> rest_;
};

/// Reserves the rooms of a BlockScratch.
class ScratchRooms {
 public:
  /// `arena` must outlive this.
  ScratchRooms(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
               Arena& arena);

  [[nodiscard]] BlockScratch view() const;

 private:
  using Slot = Arena::Slot<float>;

  const Arena* arena_;
  Slot wide_{}, sublayer_{}, dq_{}, dk_{}, dv_{}, attention_{}, staging_{}, gain_{};
  Arena::ElementSlot operand_{}, gradient_operand_{};
};

}  // namespace ballast::model
