#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "formats/gguf/paired_rows.hpp"
#include "model/model_config.hpp"

namespace ballast::formats {

/// A kind of models that llama.cpp computes.
struct GgufArchitecture {
  std::string_view name;           ///< general.architecture, and the first word of its keys
  bool rotates_neighbors = false;  ///< see PairedRows
  bool qk_norm = false;
  bool is_gemma = false;             ///< what Gemma 2 has besides, see gguf_model_config.hpp
  bool has_own_frequencies = false;  ///< reads the tensor rope_freqs.weight
  bool has_other_biases = false;     ///< besides those of queries, keys and values
  std::size_t nope_every = 0;        ///< every n-th layer has no positions, always

  /// How the rows of one of its tensors stand.
  [[nodiscard]] PairedRows rows_of(std::string_view tensor, std::size_t head_dim) const {
    const bool is_paired = rotates_neighbors && makes_queries_or_keys(tensor);
    return {is_paired ? head_dim : 0};
  }
};

/// All that are known.
[[nodiscard]] std::span<const GgufArchitecture> gguf_architectures();
/// By name, or nothing.
[[nodiscard]] const GgufArchitecture* find_gguf_architecture(std::string_view name);

/// The one that computes a model of this kind. A usage Error names the key that llama.cpp has no
/// counterpart for, and what could be exported.
[[nodiscard]] const GgufArchitecture& gguf_architecture_of(const model::ModelConfig& config);

/// The factor of attention's products in Gemma 2, which llama.cpp takes from the model's size.
[[nodiscard]] float gemma_attention_scale(const model::ModelConfig& config);

}  // namespace ballast::formats
