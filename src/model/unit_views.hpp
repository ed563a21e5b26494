#pragma once

#include <array>
#include <span>

#include "model/parameters.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// The tensors of one sublayer of a block within its unit, in the order of its list; empty where
/// the configuration has none.
template <class Tensor>
struct SublayerTensors {
  Tensor gain{};  ///< [dim] of the norm before or behind the sublayer
  std::array<Tensor, kMostTensors> own{};
};

/// The tensors of one block, sublayer by sublayer.
template <class Tensor>
using BlockTensors = std::array<SublayerTensors<Tensor>, kMostSublayers>;
using BlockWeights = BlockTensors<ConstElements>;
using BlockGradients = BlockTensors<std::span<float>>;

/// What follows the blocks.
template <class Tensor>
struct HeadTensors {
  Tensor final_norm;  ///< [dim], only with pre-normalization
  Tensor head;        ///< [vocabulary, dim]; the embedding when they are tied
};
using HeadWeights = HeadTensors<ConstElements>;
using HeadGradients = HeadTensors<std::span<float>>;

/// The tensors of block `layer` in `unit`: the whole unit that holds the block.
[[nodiscard]] BlockWeights block_tensors(const ParameterTable& table, std::size_t layer,
                                         ConstElements unit);
[[nodiscard]] BlockGradients block_tensors(const ParameterTable& table, std::size_t layer,
                                           std::span<float> unit);

/// The embedding, [vocabulary, dim], in `unit`: the whole unit that holds it.
[[nodiscard]] ConstElements embedding_tensor(const ParameterTable& table, ConstElements unit);
[[nodiscard]] std::span<float> embedding_tensor(const ParameterTable& table, std::span<float> unit);

/// `unit`: the whole head unit of the table.
[[nodiscard]] HeadWeights head_tensors(const ParameterTable& table, ConstElements unit);
[[nodiscard]] HeadGradients head_tensors(const ParameterTable& table, std::span<float> unit);

}  // namespace ballast::model
