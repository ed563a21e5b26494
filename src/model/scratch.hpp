#pragma once

#include <cstddef>
#include <span>

#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/transformer_options.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Rooms that all blocks share; what only a backward writes to is empty in evaluation.
struct BlockScratch {
  Elements operand;            ///< [tokens, max(ffn, dim)] a product's operand, compute type
  std::span<float> sublayer;   ///< [tokens, dim]
  std::span<float> dq;         ///< [tokens, dim], backward
  std::span<float> dk;         ///< [tokens, kv_dim], backward
  Elements dv;                 ///< [tokens, kv_dim], compute type, backward
  std::span<float> gain_sums;  ///< kernels::gain_scratch_numel of any norm, backward
  std::span<float> attention;  ///< kernels::attention_scratch_numel for all workers

  // Empty where compute is in fp32, which needs no copies.
  std::span<float> gain;      ///< [dim] of a norm
  Elements gradient_operand;  ///< [tokens, dim] a gradient, rounded, backward
};

/// Reserves the rooms of a BlockScratch.
class ScratchRooms {
 public:
  /// `idle`: what of `arena`, which must outlive this, holds nothing while blocks are at work.
  ScratchRooms(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
               std::span<const Arena::Extent> idle, Arena& arena);

  [[nodiscard]] BlockScratch view() const;

 private:
  using Slot = Arena::Slot<float>;

  const Arena* arena_;
  Slot sublayer_{}, dq_{}, dk_{}, gain_sums_{}, attention_{}, gain_{};
  Arena::ElementSlot operand_{}, dv_{}, gradient_operand_{};
};

}  // namespace ballast::model
