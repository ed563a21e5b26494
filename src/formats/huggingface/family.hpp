#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "model/model_config.hpp"

namespace ballast::formats {

/// A family of models that transformers computes, and how its config.json is read: its own defaults
/// for keys that a file leaves out, and what it has that no key says.
struct Family {
  std::string_view model_type;
  std::string_view architecture;
  /// Key and value heads where the file names none; 0: as many as query heads.
  std::size_t kv_heads = 0;
  /// Where the file says nothing; 0: hidden_size / num_attention_heads.
  std::size_t head_dim = 0;
  std::size_t context = 2048;
  double norm_epsilon = 1e-6;
  double rope_base = 10000.0;
  bool ties_embeddings = false;

  /// Which biases: as attention_bias says, on queries, keys, values and the output, or always on
  /// the first three.
  enum class AttentionBias { by_key, never, qkv } attention_bias = AttentionBias::by_key;
  bool has_mlp_bias_key = false;
  bool qk_norm = false;
  model::NormPlacement norm_placement = model::NormPlacement::pre;
  model::FeedForward activation = model::FeedForward::swiglu;
  /// What Gemma 2 has besides: gains less 1, embeddings times sqrt(hidden_size), and keys for soft
  /// caps and the factor of attention's products.
  bool is_gemma = false;
  /// Whether hidden_size must be a multiple of num_attention_heads, even beside head_dim.
  bool heads_divide_width = false;

  /// Which layers have the window of sliding_window, where layer_types says nothing else. Two of
  /// them only with use_sliding_window.
  enum class WindowUse {
    none,
    all_layers,
    later_layers,      ///< from max_window_layers on
    unrotated_layers,  ///< those that rotate nothing
    every_other,       ///< the first, the third, ..., whatever use_sliding_window says
  } window_use = WindowUse::none;
  /// Of the window where the file names none; 0: there is none then. A null means none in any case.
  std::size_t window = 0;
  /// Every n-th layer rotates nothing where the file does not say (SmolLM3).
  std::size_t nope_every = 0;

  /// Whether layer_types tells layers with a window from those without.
  [[nodiscard]] bool has_layer_types() const {
    return has_window_switch() || window_use == WindowUse::every_other;
  }
  /// Whether there is a window with use_sliding_window alone.
  [[nodiscard]] bool has_window_switch() const {
    return window_use == WindowUse::later_layers || window_use == WindowUse::unrotated_layers;
  }
};

/// All that are known.
[[nodiscard]] std::span<const Family> families();
/// By model_type, or nothing.
[[nodiscard]] const Family* find_family(std::string_view model_type);
/// The first family that computes a model of this kind. A usage Error names the key that none has.
[[nodiscard]] const Family& family_of(const model::ModelConfig& config);

}  // namespace ballast::formats
