#include "formats/huggingface/family.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace ballast::formats {

namespace {

using AttentionBias = Family::AttentionBias;
using WindowUse = Family::WindowUse;

// Defaults are those of the configuration classes of transformers 5.24.
constexpr std::array kFamilies{
    Family{.model_type = "llama",
           .architecture = "LlamaForCausalLM",
           .has_mlp_bias_key = true,
           .heads_divide_width = true},
    Family{.model_type = "qwen3",
           .architecture = "Qwen3ForCausalLM",
           .kv_heads = 32,
           .head_dim = 128,
           .context = 32768,
           .qk_norm = true,
           .window_use = WindowUse::later_layers,
           .window = 4096},
    Family{.model_type = "qwen2",
           .architecture = "Qwen2ForCausalLM",
           .kv_heads = 32,
           .context = 32768,
           .attention_bias = AttentionBias::qkv,
           .window_use = WindowUse::later_layers,
           .window = 4096},
    Family{.model_type = "mistral",
           .architecture = "MistralForCausalLM",
           .kv_heads = 8,
           .context = 131072,
           .attention_bias = AttentionBias::never,
           .window_use = WindowUse::all_layers,
           .window = 4096},
    Family{.model_type = "smollm3",
           .architecture = "SmolLM3ForCausalLM",
           .kv_heads = 4,
           .context = 32768,
           .rope_base = 2000000.0,
           .ties_embeddings = true,
           .has_mlp_bias_key = true,
           .window_use = WindowUse::unrotated_layers,
           .nope_every = 4},
};

/// What keeps every family from computing such a model; empty: at least one does.
std::string_view what_none_has(const model::ModelConfig& c) {
  if (c.norm != kernels::NormKind::rms) return "model.norm";
  if (c.norm_placement != model::NormPlacement::pre) return "model.norm_placement";
  if (c.activation != model::FeedForward::swiglu) return "model.activation";
  if (c.position != model::Position::rope) return "model.position";
  if (c.scale_embedding) return "model.scale_embedding";
  if (c.gain_offset) return "model.gain_offset";
  if (c.attention_scale != 0.0f) return "model.attention_scale";
  if (c.attention_softcap != 0.0f) return "model.attention_softcap";
  if (c.logit_softcap != 0.0f) return "model.logit_softcap";
  if (c.biases.attention_output && !c.biases.qkv) return "model.attention_output_bias";
  return "";
}

bool computes(const Family& family, const model::ModelConfig& c) {
  const model::Biases& biases = c.biases;
  const bool has_qkv_alone = biases.qkv && !biases.attention_output;
  const bool has_attention_bias = biases.qkv || biases.attention_output;
  switch (family.attention_bias) {
    case AttentionBias::by_key:
      if (has_qkv_alone) return false;
      break;
    case AttentionBias::never:
      if (has_attention_bias) return false;
      break;
    case AttentionBias::qkv:
      if (!has_qkv_alone) return false;
      break;
  }
  const model::Window& window = c.window;
  if (window.tokens != 0 && family.window_use == WindowUse::none) return false;
  const bool has_pattern = window.first_layer != 0 || window.all_every != 0;
  if (has_pattern && !family.has_layer_types()) return false;
  if (family.heads_divide_width && c.dim % c.heads != 0) return false;
  return c.qk_norm == family.qk_norm && (!biases.ffn || family.has_mlp_bias_key) &&
         (c.nope_every == 0 || family.nope_every != 0);
}

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family* find_family(std::string_view model_type) {
  const auto* const found = std::ranges::find(kFamilies, model_type, &Family::model_type);
  return found == kFamilies.end() ? nullptr : found;
}

const Family& family_of(const model::ModelConfig& config) {
  const std::string_view missing = what_none_has(config);
  if (!missing.empty()) {
    throw usage_error(
        "no family of transformers that Ballast writes computes this model: {} is other than its "
        "default",
        missing);
  }
  const auto* const found = std::ranges::find_if(
      kFamilies, [&](const Family& family) { return computes(family, config); });
  if (found == kFamilies.end()) {
    throw usage_error(
        "no family of transformers that Ballast writes has this model's biases (model.qkv_bias, "
        "model.attention_output_bias, model.ffn_bias), model.qk_norm, model.window and "
        "model.nope_every together");
  }
  return *found;
}

}  // namespace ballast::formats
