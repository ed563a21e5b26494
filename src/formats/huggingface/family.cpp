#include "formats/huggingface/family.hpp"

#include <algorithm>
#include <array>
#include <cmath>

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
    Family{.model_type = "gemma2",
           .architecture = "Gemma2ForCausalLM",
           .kv_heads = 4,
           .head_dim = 256,
           .context = 8192,
           .ties_embeddings = true,
           .norm_placement = model::NormPlacement::both,
           .activation = model::FeedForward::geglu_tanh,
           .is_gemma = true,
           .window_use = WindowUse::every_other,
           .window = 4096},
};

/// What keeps every family from computing such a model; empty: at least one does.
std::string_view what_none_has(const model::ModelConfig& c) {
  if (c.norm != kernels::NormKind::rms) return "model.norm";
  const auto has = [&](auto field, auto value) {
    return std::ranges::find(kFamilies, value, field) != kFamilies.end();
  };
  if (!has(&Family::norm_placement, c.norm_placement)) return "model.norm_placement";
  if (!has(&Family::activation, c.activation)) return "model.activation";
  if (c.position != model::Position::rope) return "model.position";
  if (c.parallel_sublayers) return "model.parallel_sublayers";
  if (c.biases.attention_output && !c.biases.qkv) return "model.attention_output_bias";
  return "";
}

/// Gemma 2 writes the factor of attention's products as the inverse root of a whole number.
bool is_of_whole_number(float attention_scale) {
  if (attention_scale == 0.0f) return true;
  const double scale = static_cast<double>(attention_scale);
  const double scalar = std::round(1.0 / (scale * scale));
  return scalar >= 1.0 && attention_scale == static_cast<float>(1.0 / std::sqrt(scalar));
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
  if (c.norm_placement != family.norm_placement || c.activation != family.activation) return false;
  if (c.gain_offset != family.is_gemma || c.scale_embedding != family.is_gemma) return false;
  const bool has_own_logits =
      c.attention_scale != 0.0f || c.attention_softcap != 0.0f || c.logit_softcap != 0.0f;
  if (has_own_logits && !family.is_gemma) return false;
  if (!is_of_whole_number(c.attention_scale)) return false;
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
        "no family of transformers that Ballast writes has together what this model has: look at "
        "model.norm_placement, model.activation, model.qk_norm, model.qkv_bias, "
        "model.attention_output_bias, model.ffn_bias, model.window, model.nope_every, "
        "model.gain_offset, model.scale_embedding, model.attention_scale and the soft caps");
  }
  return *found;
}

}  // namespace ballast::formats
