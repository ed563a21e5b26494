#pragma once

#include <span>

#include "model/parameters.hpp"

namespace ballast::model {

/// The tensors of one block within its flat unit; empty where the configuration has none.
template <class T>
struct BlockTensors {
  std::span<T> attention_norm;  ///< [dim]
  std::span<T> wq;              ///< [dim, dim]
  std::span<T> wk;              ///< [kv_dim, dim]
  std::span<T> wv;              ///< [kv_dim, dim]
  std::span<T> q_norm;          ///< [head_dim]
  std::span<T> k_norm;          ///< [head_dim]
  std::span<T> wo;              ///< [dim, dim]
  std::span<T> ffn_norm;        ///< [dim]
  std::span<T> w_gate;          ///< [ffn, dim]
  std::span<T> w_up;            ///< [ffn, dim]
  std::span<T> w_down;          ///< [dim, ffn]
};

/// The tensors of the root unit; `head` is `embedding` when they are tied.
template <class T>
struct RootTensors {
  std::span<T> embedding;   ///< [vocabulary, dim]
  std::span<T> final_norm;  ///< [dim], only with pre-normalisation
  std::span<T> head;        ///< [vocabulary, dim]
};

/// Finds the tensors of block `layer` in `unit`, a span over the whole unit.
template <class T>
[[nodiscard]] BlockTensors<T> block_tensors(const ParameterTable& table, std::size_t layer,
                                            std::span<T> unit);

template <class T>
[[nodiscard]] RootTensors<T> root_tensors(const ParameterTable& table, std::span<T> unit);

}  // namespace ballast::model
