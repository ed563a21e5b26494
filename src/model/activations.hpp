#pragma once

#include <cstddef>
#include <vector>

#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/transformer_options.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// The tensors that a block's forward leaves to its backward. All [tokens, ...]; empty where the
/// configuration has no use for them. What one pass over a kept stream gives again, the sublayers'
/// normalised inputs and the feed-forward's product, is not among them. In the compute type, but
/// for the stream (attention_sum, mid, ffn_sum), which is in the residual type, and statistics and
/// log_sum_exp, which are fp32.
template <class T>
struct BlockFields {
  T attention_statistics;  ///< [2]
  T q_raw;                 ///< [dim] before qk_norm
  T k_raw;                 ///< [kv_dim]
  T q_statistics;          ///< [heads, 2]
  T k_statistics;          ///< [kv_heads, 2]
  T q;                     ///< [dim] as attention reads it
  T k;                     ///< [kv_dim]
  T v;                     ///< [kv_dim]
  T log_sum_exp;           ///< [heads, tokens]
  T attended;              ///< [dim]
  T attention_sum;         ///< [dim] before the norm, post-normalisation only
  T mid;                   ///< [dim] residual stream between the sublayers
  T ffn_statistics;        ///< [2]
  T gate;                  ///< [ffn]
  T up;                    ///< [ffn]
  T ffn_sum;               ///< [dim] post-normalisation only
};
using BlockActivations = BlockFields<Elements>;

/// Where the residual streams and the blocks' activations lie. What is kept from forward to
/// backward has memory of its own for every block (MemoryClass::activations); what is computed
/// again has one place for all blocks (MemoryClass::scratch). An evaluation keeps nothing.
class Activations {
 public:
  /// Reserves in `arena`, which must outlive this.
  Activations(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
              Arena& arena);

  /// The stream that enters block `depth`, or leaves the last one.
  [[nodiscard]] Elements residual(std::size_t depth) const;
  [[nodiscard]] BlockActivations of(std::size_t layer) const;
  /// The bytes that only blocks [first, first + layers) use: nothing once their backward is done.
  /// The streams between blocks are not among them.
  [[nodiscard]] Arena::Extent kept_by(std::size_t first, std::size_t layers) const;

 private:
  using Slot = Arena::ElementSlot;
  using Slots = BlockFields<Slot>;

  [[nodiscard]] Elements view(const Slot& slot) const { return arena_->view(slot); }

  const Arena* arena_;
  std::vector<Slot> residuals_;      ///< [layers + 1] in training, two in turn in evaluation
  std::vector<Slots> blocks_;        ///< [layers]; they share what is recomputed
  std::vector<std::size_t> starts_;  ///< [layers + 1], of what blocks have to themselves
};

}  // namespace ballast::model
