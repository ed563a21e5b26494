#pragma once

#include <array>
#include <optional>
#include <span>

#include "model/parameter_source.hpp"
#include "model/parameters.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// The units that are read together at one depth: acquired here, released at scope end.
class UnitLeases {
 public:
  UnitLeases(ParameterSource& source, const ParameterTable& table, Depth depth);

  /// A tensor's logical elements; the tensor is of one of these units.
  [[nodiscard]] ConstElements tensor(const ParameterInfo& parameter) const;

 private:
  static constexpr std::size_t kMostUnits = 2;  ///< what is frozen, and what trains

  std::span<const UnitId> units_;
  std::array<std::optional<ParameterLease>, kMostUnits> leases_;
};

/// Where a backward pass leaves gradients at one depth: in the room of the unit that trains there,
/// or nowhere.
class UnitGradients {
 public:
  UnitGradients(ParameterSource& source, const ParameterTable& table, Depth depth);

  /// Empty for a tensor that is frozen.
  [[nodiscard]] std::span<float> tensor(const ParameterInfo& parameter) const;
  [[nodiscard]] kernels::Store store() const { return room_.store; }

 private:
  std::optional<UnitId> unit_;
  GradientRoom room_{};
};

/// The tensors of one sublayer of a block, in the order of its list; empty where the configuration
/// has none.
template <class Tensor>
struct SublayerTensors {
  Tensor gain{};         ///< [dim] of the norm before it, or of the stream behind it
  Tensor output_gain{};  ///< [dim] of the norm of its result
  std::array<Tensor, kMostTensors> own{};
};

/// The tensors of one block, sublayer by sublayer.
template <class Tensor>
using BlockTensors = std::array<SublayerTensors<Tensor>, kMostSublayers>;
using BlockWeights = BlockTensors<ConstElements>;
using BlockGradients = BlockTensors<std::span<float>>;

/// What comes before the blocks.
template <class Tensor>
struct EmbeddingTensors {
  Tensor tokens;     ///< [vocabulary, dim]
  Tensor positions;  ///< [context, dim] where they are learned
};
using EmbeddingWeights = EmbeddingTensors<ConstElements>;
using EmbeddingGradients = EmbeddingTensors<std::span<float>>;

/// What follows the blocks.
template <class Tensor>
struct HeadTensors {
  Tensor final_norm;  ///< [dim], only with pre-normalization
  Tensor head;        ///< [vocabulary, dim]; the embedding when they are tied
};
using HeadWeights = HeadTensors<ConstElements>;
using HeadGradients = HeadTensors<std::span<float>>;

// The tensors that are used at a depth. `units`: those of that depth.

[[nodiscard]] BlockWeights block_tensors(const ParameterTable& table, std::size_t layer,
                                         const UnitLeases& units);
[[nodiscard]] BlockGradients block_tensors(const ParameterTable& table, std::size_t layer,
                                           const UnitGradients& units);

[[nodiscard]] EmbeddingWeights embedding_tensors(const ParameterTable& table,
                                                 const UnitLeases& units);
[[nodiscard]] EmbeddingGradients embedding_tensors(const ParameterTable& table,
                                                   const UnitGradients& units);

[[nodiscard]] HeadWeights head_tensors(const ParameterTable& table, const UnitLeases& units);
[[nodiscard]] HeadGradients head_tensors(const ParameterTable& table, const UnitGradients& units);

}  // namespace ballast::model
