#pragma once

#include <span>

#include "model/parameters.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// The tensors of one block within its unit; empty where the configuration has none.
template <class Tensor>
struct BlockTensors {
  Tensor attention_norm;  ///< [dim]
  Tensor wq;              ///< [dim, dim]
  Tensor wk;              ///< [kv_dim, dim]
  Tensor wv;              ///< [kv_dim, dim]
  Tensor q_norm;          ///< [head_dim]
  Tensor k_norm;          ///< [head_dim]
  Tensor wo;              ///< [dim, dim]
  Tensor ffn_norm;        ///< [dim]
  Tensor w_gate;          ///< [ffn, dim]
  Tensor w_up;            ///< [ffn, dim]
  Tensor w_down;          ///< [dim, ffn]
};
using BlockWeights = BlockTensors<ConstElements>;
using BlockGradients = BlockTensors<std::span<float>>;

/// What follows the blocks.
template <class Tensor>
struct HeadTensors {
  Tensor final_norm;  ///< [dim], only with pre-normalisation
  Tensor head;        ///< [vocabulary, dim]; the embedding when they are tied
};
using HeadWeights = HeadTensors<ConstElements>;
using HeadGradients = HeadTensors<std::span<float>>;

/// Finds the tensors of block `layer` in `unit`: the whole unit that holds the block.
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
