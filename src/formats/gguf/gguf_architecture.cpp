#include "formats/gguf/gguf_architecture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace ballast::formats {

namespace {

using kernels::RopeScaling;
using model::ModelConfig;

/// llama.cpp has room for so many.
constexpr std::size_t kMostLayers = 512;

constexpr std::array kArchitectures{
    GgufArchitecture{.name = "llama",
                     .rotates_neighbors = true,
                     .has_own_frequencies = true,
                     .has_other_biases = true},
    GgufArchitecture{.name = "qwen2"},
    GgufArchitecture{.name = "qwen3", .qk_norm = true},
    GgufArchitecture{.name = "smollm3", .rotates_neighbors = true, .nope_every = 4},
    GgufArchitecture{.name = "gemma2", .is_gemma = true},
};

template <class Value>
void require(bool is_computed, std::string_view key, const Value& value, std::string_view instead) {
  if (is_computed) return;
  throw usage_error("no architecture of llama.cpp that Ballast writes computes {} = {}: {}", key,
                    value, instead);
}

constexpr std::string_view kFolder =
    "--format hf may export it, and as GGUF a model could be that was trained without";

/// What none of them computes.
void require_common(const ModelConfig& c) {
  require(c.norm == kernels::NormKind::rms, "model.norm", name_of(c.norm), "rms could be exported");
  const bool is_placed = c.norm_placement == model::NormPlacement::pre ||
                         c.norm_placement == model::NormPlacement::both;
  require(is_placed, "model.norm_placement", name_of(c.norm_placement),
          "pre could be exported, or both in a model like Gemma 2");
  require(c.position == model::Position::rope, "model.position", name_of(c.position),
          "rope could be exported");
  require(!c.parallel_sublayers, "model.parallel_sublayers", true, "false could be exported");
  require(c.layers <= kMostLayers, "model.layers", c.layers, "512 could be exported");
  require(c.rope.scaling != RopeScaling::dynamic, "model.rope_scaling", name_of(c.rope.scaling),
          "none, linear, llama3 and yarn could be exported");
  require(c.rope.scaling != RopeScaling::yarn || c.rope.truncate, "model.rope_truncate", false,
          "true could be exported");
}

/// What Gemma 2 alone has.
void require_plain(const ModelConfig& c) {
  require(c.activation == model::FeedForward::swiglu, "model.activation", name_of(c.activation),
          "swiglu could be exported, or geglu_tanh with model.norm_placement = both");
  require(!c.scale_embedding, "model.scale_embedding", true, kFolder);
  require(c.attention_scale == 0.0f, "model.attention_scale", c.attention_scale, kFolder);
  require(c.attention_softcap == 0.0f, "model.attention_softcap", c.attention_softcap, kFolder);
  require(c.logit_softcap == 0.0f, "model.logit_softcap", c.logit_softcap, kFolder);
  const bool sees_all = c.window.tokens == 0 || (c.context != 0 && c.context <= c.window.tokens);
  require(sees_all, "model.window", c.window.tokens,
          "a window of at least model.context tokens, which then changes nothing, could be "
          "exported");
}

/// Whether the first layer has a window, the second sees all, and so on.
bool has_gemma_windows(const ModelConfig& c) {
  for (std::size_t layer = 0; layer < c.layers; ++layer) {
    if ((c.window.of(layer) != 0) != (layer % 2 == 0)) return false;
  }
  return true;
}

/// Whether every n-th layer, and no other, has no positions; 0: all have.
bool has_nope_every(const ModelConfig& c, std::size_t nth) {
  for (std::size_t layer = 0; layer < c.layers; ++layer) {
    if (c.rotates(layer) != (nth == 0 || (layer + 1) % nth != 0)) return false;
  }
  return true;
}

/// What Gemma 2 must have: llama.cpp gives it no key, or cannot do without.
void require_gemma(const ModelConfig& c) {
  require(c.activation == model::FeedForward::geglu_tanh, "model.activation", name_of(c.activation),
          "with model.norm_placement = both, geglu_tanh could be exported");
  require(c.scale_embedding, "model.scale_embedding", false,
          "with model.norm_placement = both, true could be exported");
  require(c.tie_embeddings, "model.tie_embeddings", false,
          "with model.norm_placement = both, true could be exported");
  require(c.attention_softcap > 0.0f, "model.attention_softcap", c.attention_softcap,
          "with model.norm_placement = both, a value above 0 could be exported");
  require(c.logit_softcap > 0.0f, "model.logit_softcap", c.logit_softcap,
          "with model.norm_placement = both, a value above 0 could be exported");
  require(c.attention_scale == 0.0f || c.attention_scale == gemma_attention_scale(c),
          "model.attention_scale", c.attention_scale,
          fmt::format("{} could be exported for these sizes", gemma_attention_scale(c)));
  require(c.window.tokens != 0, "model.window", 0,
          "with model.norm_placement = both, a window in every other layer could be exported");
  require(has_gemma_windows(c), "model.window_all_every", c.window.all_every,
          "2, with model.window_first = 0, could be exported");
}

const GgufArchitecture& choose(const ModelConfig& c) {
  const bool has_qkv_biases_alone =
      c.biases.qkv && !c.biases.attention_output && !c.biases.ffn && c.q_dim() == c.dim;
  const char* name = "llama";
  if (c.norm_placement == model::NormPlacement::both) {
    name = "gemma2";
  } else if (c.qk_norm) {
    name = "qwen3";
  } else if (!has_nope_every(c, 0)) {
    name = "smollm3";
  } else if (has_qkv_biases_alone && c.rope.scaling != RopeScaling::llama3) {
    name = "qwen2";
  }
  return *find_gguf_architecture(name);
}

/// What the others have, but not this one.
void require_of(const GgufArchitecture& architecture, const ModelConfig& c) {
  const auto with = [&](std::string_view what) {
    return fmt::format("together with what makes it a model of kind '{}'; {}", architecture.name,
                       what);
  };
  require(c.qk_norm == architecture.qk_norm, "model.qk_norm", c.qk_norm,
          with("without could be exported"));
  require(has_nope_every(c, architecture.nope_every), "model.nope_every", c.nope_every,
          with(fmt::format("{} could be exported", architecture.nope_every)));
  require(!c.biases.attention_output || architecture.has_other_biases,
          "model.attention_output_bias", true, with("false could be exported"));
  require(!c.biases.ffn || architecture.has_other_biases, "model.ffn_bias", true,
          with("false could be exported"));
  require(c.rope.scaling != RopeScaling::llama3 || architecture.has_own_frequencies,
          "model.rope_scaling", name_of(c.rope.scaling),
          with("none, linear and yarn could be exported"));
}

}  // namespace

std::span<const GgufArchitecture> gguf_architectures() { return kArchitectures; }

const GgufArchitecture* find_gguf_architecture(std::string_view name) {
  const auto* const found = std::ranges::find(kArchitectures, name, &GgufArchitecture::name);
  return found == kArchitectures.end() ? nullptr : found;
}

float gemma_attention_scale(const ModelConfig& config) {
  constexpr std::size_t kLayersOf27B = 46;
  const std::size_t width =
      config.layers == kLayersOf27B ? config.dim / config.heads : config.head_dim();
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(width)));
}

const GgufArchitecture& gguf_architecture_of(const ModelConfig& config) {
  require_common(config);
  const GgufArchitecture& architecture = choose(config);
  if (architecture.is_gemma) {
    require_gemma(config);
  } else {
    require_plain(config);
  }
  require_of(architecture, config);
  return architecture;
}

}  // namespace ballast::formats
