#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/norm.hpp"
#include "kernels/rope_rule.hpp"
#include "model/model_choices.hpp"
#include "model/sublayer_spec.hpp"

namespace ballast::model {

/// Which layers see only so many tokens back (Beltagy et al. 2020, Longformer; Jiang et al. 2023,
/// Mistral).
struct Window {
  std::size_t tokens = 0;       ///< a token sees itself and those before it, so many; 0: all
  std::size_t first_layer = 0;  ///< layers before it see all
  std::size_t all_every = 0;    ///< every n-th layer sees all; 0: none does

  [[nodiscard]] std::size_t of(std::size_t layer) const {
    const bool sees_all = layer < first_layer || (all_every != 0 && (layer + 1) % all_every == 0);
    return sees_all ? 0 : tokens;
  }
};

/// Which linear layers add a bias to their result.
struct Biases {
  bool qkv = false;  ///< of queries, keys and values
  bool attention_output = false;
  bool ffn = false;  ///< all of the feed-forward layer's
};

/// The shape of a Llama-style model. Keys of the [model] section; the vocabulary comes from the
/// dataset, or with the weights.
struct ModelConfig {
  std::size_t vocabulary = 0;
  std::size_t dim = 256;
  std::size_t layers = 4;
  std::size_t heads = 4;
  std::size_t kv_heads = 4;
  std::size_t own_head_dim = 0;  ///< 0: dim / heads
  std::size_t ffn = 688;
  std::size_t context = 0;  ///< the longest text it is made for; 0: nobody says
  FeedForward activation = FeedForward::swiglu;
  kernels::NormKind norm = kernels::NormKind::rms;
  NormPlacement norm_placement = NormPlacement::pre;
  bool parallel_sublayers = false;  ///< all read the block's input, and none another's result
  bool qk_norm = false;
  bool tie_embeddings = false;
  bool document_attention = false;  ///< attention stops at document boundaries
  float norm_epsilon = 1e-5f;
  bool gain_offset = false;        ///< gains are kept less 1: norms multiply by 1 + w
  float attention_scale = 0.0f;    ///< factor of attention's products; 0: 1 / sqrt(head_dim)
  float attention_softcap = 0.0f;  ///< attention logits stay within ± this; 0: no limit
  float logit_softcap = 0.0f;      ///< so do the model's own logits
  Position position = Position::rope;
  kernels::RopeRule rope{};
  bool scale_embedding = false;  ///< embeddings enter the stream times sqrt(dim)
  std::size_t nope_every = 0;    ///< every n-th layer has no positions; 0: all have
  Window window{};
  Biases biases{};
  double init_std = 0.02;
  double init_depth_scale = 1.0;  ///< residual outputs start at init_std · this / sqrt(2 · layers)

  /// What every block is made of, in the order of the stream; no key yet.
  std::vector<SublayerKind> sublayers{SublayerKind::attention, SublayerKind::feed_forward};

  /// What block `layer` is made of.
  [[nodiscard]] std::span<const SublayerKind> sublayers_of(std::size_t) const { return sublayers; }
  /// Whether what a sublayer reads is normalized.
  [[nodiscard]] bool has_input_norms() const {
    return norm_placement == NormPlacement::pre || norm_placement == NormPlacement::both;
  }
  /// Whether what a sublayer adds to the stream is normalized.
  [[nodiscard]] bool has_output_norms() const {
    return norm_placement == NormPlacement::output || norm_placement == NormPlacement::both;
  }
  /// Whether the stream is, behind each sublayer.
  [[nodiscard]] bool has_stream_norms() const { return norm_placement == NormPlacement::post; }
  /// Whether the output head reads the stream normalized.
  [[nodiscard]] bool has_final_norm() const { return has_input_norms() || has_output_norms(); }
  [[nodiscard]] kernels::NormRule norm_rule() const {
    return {norm, norm_epsilon, gain_offset ? 1.0f : 0.0f};
  }
  /// Whether queries and keys of this layer are rotated to their positions.
  [[nodiscard]] bool rotates(std::size_t layer) const {
    return position == Position::rope && (nope_every == 0 || (layer + 1) % nope_every != 0);
  }
  [[nodiscard]] float embedding_factor() const {
    return scale_embedding ? std::sqrt(static_cast<float>(dim)) : 1.0f;
  }
  /// Of the linear layers whose results are added to the stream.
  [[nodiscard]] double residual_std() const {
    return init_std * init_depth_scale / std::sqrt(2.0 * static_cast<double>(layers));
  }
  [[nodiscard]] std::size_t head_dim() const {
    return own_head_dim != 0 ? own_head_dim : dim / heads;
  }
  [[nodiscard]] std::size_t q_dim() const { return heads * head_dim(); }
  [[nodiscard]] std::size_t kv_dim() const { return kv_heads * head_dim(); }

  /// Throws a usage Error that names the key when the shape cannot work.
  void validate() const;
  /// A usage Error if the model's positions end before texts of so many tokens do; `who` asks for
  /// these: "data.seq_len".
  void require_context(std::size_t tokens, std::string_view who) const;
};

}  // namespace ballast::model
