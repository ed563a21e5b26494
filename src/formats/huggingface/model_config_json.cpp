#include "formats/huggingface/model_config_json.hpp"

#include <cmath>
#include <fmt/ranges.h>
#include <limits>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/huggingface/config_keys.hpp"
#include "formats/huggingface/family.hpp"
#include "formats/huggingface/layer_keys.hpp"
#include "formats/huggingface/rope_keys.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace {

// No model comes near these, and products of a few stay within 64 bits.
constexpr std::size_t kMostWidth = std::size_t{1} << 20;
constexpr std::size_t kMostLayers = std::size_t{1} << 16;
constexpr std::size_t kMostVocabulary = std::size_t{1} << 28;

const Family& require_family(const ConfigKeys& keys) {
  if (!keys.has("model_type")) {
    throw data_error("{} is missing: it names the family of the model", keys.place("model_type"));
  }
  const std::string type = keys.text("model_type", "");
  if (const Family* const family = find_family(type)) return *family;
  std::vector<std::string_view> known;
  for (const Family& family : families()) known.push_back(family.model_type);
  throw data_error("{} = '{}' is a family that Ballast does not compute; it knows {}",
                   keys.place("model_type"), excerpt(type), fmt::join(known, ", "));
}

/// What changes results and is never supported, whatever the family.
void refuse_unsupported(const ConfigKeys& keys) {
  if (keys.has("quantization_config")) {
    throw data_error(
        "{}: the weights are quantized, and Ballast reads float32, bfloat16 and float16 alone; "
        "take the model that they were made from",
        keys.place("quantization_config"));
  }
  if (keys.number("partial_rotary_factor", 1.0) != 1.0) {
    keys.refuse("partial_rotary_factor", "is not 1: Ballast rotates whole heads");
  }
}

/// As many as query heads where the file says null, whatever the family.
std::size_t read_kv_heads(const ConfigKeys& keys, const Family& family, std::size_t heads) {
  constexpr const char* kKey = "num_key_value_heads";
  if (keys.has(kKey)) return keys.size(kKey, kMostWidth);
  return keys.is_null(kKey) || family.kv_heads == 0 ? heads : family.kv_heads;
}

float read_norm_epsilon(const ConfigKeys& keys, const Family& family) {
  const double epsilon = keys.number("rms_norm_eps", family.norm_epsilon);
  const bool is_float = epsilon >= static_cast<double>(std::numeric_limits<float>::min()) &&
                        epsilon <= static_cast<double>(std::numeric_limits<float>::max());
  if (!is_float) keys.refuse("rms_norm_eps", "is no number above 0 that a float holds");
  return static_cast<float>(epsilon);
}

/// What transformers calls the activation of a family.
std::string_view activation_name(const Family& family) {
  return family.is_gemma ? "gelu_pytorch_tanh" : "silu";
}

void require_activation(const ConfigKeys& keys, const Family& family) {
  const std::string_view name = activation_name(family);
  // Gemma 2 reads its own key, and its files say "gelu" in the other one, which nobody reads.
  const char* const key = family.is_gemma ? "hidden_activation" : "hidden_act";
  if (keys.text(key, name) != name) keys.refuse(key, fmt::format("is not {}", name));
}

/// A number that may be 0 or null: then there is no cap.
float read_cap(const ConfigKeys& keys, const char* key, double fallback) {
  const double cap = keys.is_null(key) ? 0.0 : keys.number(key, fallback);
  const bool is_float = cap >= 0.0 && cap <= static_cast<double>(std::numeric_limits<float>::max());
  if (!is_float) keys.refuse(key, "is no number from 0 on that a float holds");
  return static_cast<float>(cap);
}

void read_gemma(const ConfigKeys& keys, model::ModelConfig& model) {
  model.gain_offset = true;
  model.scale_embedding = true;
  model.attention_softcap = read_cap(keys, "attn_logit_softcapping", 50.0);
  model.logit_softcap = read_cap(keys, "final_logit_softcapping", 30.0);
  const double scalar = keys.number("query_pre_attn_scalar", 256.0);
  if (scalar <= 0.0) keys.refuse("query_pre_attn_scalar", "is not above 0");
  model.attention_scale = static_cast<float>(1.0 / std::sqrt(scalar));
}

void read_sizes(const ConfigKeys& keys, const Family& family, model::ModelConfig& model) {
  model.dim = keys.size("hidden_size", kMostWidth);
  model.layers = keys.size("num_hidden_layers", kMostLayers);
  model.heads = keys.size("num_attention_heads", kMostWidth);
  model.kv_heads = read_kv_heads(keys, family, model.heads);
  model.ffn = keys.size("intermediate_size", kMostWidth);
  model.vocabulary = keys.size("vocab_size", kMostVocabulary);
  const std::size_t head_dim =
      keys.has("head_dim") ? keys.size("head_dim", kMostWidth) : family.head_dim;
  const bool is_plain = head_dim == 0 || head_dim * model.heads == model.dim;
  model.own_head_dim = is_plain ? 0 : head_dim;
  model.context = keys.whole("max_position_embeddings", family.context);
  model.tie_embeddings = keys.boolean("tie_word_embeddings", family.ties_embeddings);
  model.norm_epsilon = read_norm_epsilon(keys, family);
}

void read_biases(const ConfigKeys& keys, const Family& family, model::ModelConfig& model) {
  switch (family.attention_bias) {
    case Family::AttentionBias::by_key:
      model.biases.qkv = keys.boolean("attention_bias", false);
      model.biases.attention_output = model.biases.qkv;
      break;
    case Family::AttentionBias::never:
      break;
    case Family::AttentionBias::qkv:
      model.biases.qkv = true;
      break;
  }
  model.biases.ffn = family.has_mlp_bias_key && keys.boolean("mlp_bias", false);
}

/// An Error of the model's own keys as one of the file.
void require_valid(const model::ModelConfig& model, const std::filesystem::path& file) {
  try {
    model.validate();
  } catch (const Error& error) {
    throw data_error("{}: {}", file.string(), error.what());
  }
}

/// What the file asks for and nobody here does. It changes no result but a training's.
std::vector<std::string> read_ignored(const ConfigKeys& keys) {
  constexpr const char* kDropout = "attention_dropout";
  const double dropout = keys.number(kDropout, 0.0);
  if (dropout == 0.0) return {};
  return {fmt::format("{} = {} is ignored: Ballast trains without dropout", keys.place(kDropout),
                      dropout)};
}

}  // namespace

HuggingFaceConfig parse_huggingface_config(std::string_view text,
                                           const std::filesystem::path& file) {
  Json json;
  try {
    json = parse_json(text);
  } catch (const Error& error) {
    throw data_error("{}: {}", file.string(), error.what());
  }
  const ConfigKeys keys{file, json};
  const Family& family = require_family(keys);
  refuse_unsupported(keys);
  HuggingFaceConfig config{.model_type = std::string{family.model_type}, .model = {}};
  model::ModelConfig& model = config.model;
  model.qk_norm = family.qk_norm;
  model.norm_placement = family.norm_placement;
  model.activation = family.activation;
  require_activation(keys, family);
  if (family.is_gemma) read_gemma(keys, model);
  read_sizes(keys, family, model);
  read_biases(keys, family, model);
  model.rope = read_rope(keys, family.rope_base, model);
  model.nope_every = read_nope_every(keys, family, model.layers);
  model.window = read_window(keys, family, model);
  if (const double std = keys.number("initializer_range", 0.02); std >= 0.0) model.init_std = std;
  config.special = special_tokens_of(keys, model.vocabulary);
  config.ignored = read_ignored(keys);
  require_valid(model, file);
  return config;
}

HuggingFaceConfig read_huggingface_config(const std::filesystem::path& folder) {
  const auto file = folder / "config.json";
  return parse_huggingface_config(storage::read_text(file), file);
}

}  // namespace ballast::formats
