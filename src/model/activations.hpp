#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/sublayer_spec.hpp"
#include "model/transformer_options.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// The tensors that a sublayer's forward leaves to its backward. All [tokens, ...]; empty where the
/// configuration has no use for them. What one pass over a kept stream gives again, its normalized
/// input, is not among them.
template <class T>
struct SublayerFields {
  T statistics{};                  ///< [2] of the norm before it, or of the stream, fp32
  std::array<T, kMostKept> own{};  ///< as its list says
  T result{};                      ///< [dim] before the norm of what it adds
  T output_statistics{};           ///< [2] of that norm, fp32
  T sum{};                         ///< [dim] before the norm, post-normalization only
  T stream{};                      ///< [dim] that leaves it, but for the last sublayer's
};
using SublayerActivations = SublayerFields<Elements>;
using BlockActivations = std::array<SublayerActivations, kMostSublayers>;

/// Where the residual streams and the blocks' activations lie. What is kept from forward to
/// backward has memory of its own for every block (MemoryClass::activations); what is computed
/// again has one place for all blocks (MemoryClass::scratch). An evaluation keeps nothing.
class Activations {
 public:
  /// Reserves in `arena`, which must outlive this. Blocks before `first_kept` have no backward:
  /// they keep nothing either.
  Activations(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
              std::size_t first_kept, Arena& arena);

  /// The stream that enters block `depth`, or leaves the last one.
  [[nodiscard]] Elements residual(std::size_t depth) const;
  [[nodiscard]] BlockActivations of(std::size_t layer) const;
  /// The bytes that only blocks [first, first + layers) use: nothing once their backward is done.
  /// The streams between blocks are not among them.
  [[nodiscard]] Arena::Extent kept_by(std::size_t first, std::size_t layers) const;

 private:
  using Slot = Arena::ElementSlot;
  using Slots = std::array<SublayerFields<Slot>, kMostSublayers>;

  const Arena* arena_;
  std::vector<Slot> residuals_;      ///< [layers + 1] in training, two in turn in evaluation
  std::vector<Slots> blocks_;        ///< [layers]; they share what is recomputed
  std::vector<std::size_t> starts_;  ///< [layers + 1], of what blocks have to themselves
};

}  // namespace ballast::model
