#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/norm.hpp"
#include "model/sublayer_spec.hpp"

namespace ballast::model {

/// Where a block normalizes: before each sublayer, after it, or not at all.
enum class NormPlacement { pre, post, none };

[[nodiscard]] constexpr std::string_view name_of(NormPlacement placement) {
  switch (placement) {
    case NormPlacement::pre:
      return "pre";
    case NormPlacement::post:
      return "post";
    case NormPlacement::none:
      return "none";
  }
  return "?";
}

/// The shape of a Llama-style model. Keys of the [model] section; the vocabulary comes from the
/// dataset.
struct ModelConfig {
  std::size_t vocabulary = 0;
  std::size_t dim = 256;
  std::size_t layers = 4;
  std::size_t heads = 4;
  std::size_t kv_heads = 4;
  std::size_t ffn = 688;
  kernels::NormKind norm = kernels::NormKind::rms;
  NormPlacement norm_placement = NormPlacement::pre;
  bool qk_norm = false;
  bool tie_embeddings = false;
  bool document_attention = false;  ///< attention stops at document boundaries
  float norm_epsilon = 1e-5f;
  double rope_base = 10000.0;
  double init_std = 0.02;
  double init_depth_scale = 1.0;  ///< residual outputs start at init_std · this / sqrt(2 · layers)

  /// What every block is made of, in the order of the stream; no key yet.
  std::vector<SublayerKind> sublayers{SublayerKind::attention, SublayerKind::feed_forward};

  /// What block `layer` is made of.
  [[nodiscard]] std::span<const SublayerKind> sublayers_of(std::size_t) const { return sublayers; }
  [[nodiscard]] bool has_norms() const { return norm_placement != NormPlacement::none; }
  [[nodiscard]] kernels::NormRule norm_rule() const { return {norm, norm_epsilon}; }
  /// Of the linear layers whose results are added to the stream.
  [[nodiscard]] double residual_std() const {
    return init_std * init_depth_scale / std::sqrt(2.0 * static_cast<double>(layers));
  }
  [[nodiscard]] std::size_t head_dim() const { return dim / heads; }
  [[nodiscard]] std::size_t kv_dim() const { return kv_heads * head_dim(); }

  /// Throws a usage Error that names the key when the shape cannot work.
  void validate() const;
};

}  // namespace ballast::model
