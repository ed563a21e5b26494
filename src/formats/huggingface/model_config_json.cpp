#include "formats/huggingface/model_config_json.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "formats/huggingface/config_keys.hpp"
#include "formats/huggingface/family.hpp"
#include "formats/huggingface/rope_keys.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace {

/// config.json is a page of text.
constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 20;

const Family& require_family(const ConfigKeys& keys) {
  const std::string type = keys.text("model_type", "");
  if (const Family* const family = find_family(type)) return *family;
  std::vector<std::string_view> known;
  for (const Family& family : families()) known.push_back(family.model_type);
  throw data_error("{} = '{}' is a family that Ballast does not compute; it knows {}",
                   keys.place("model_type"), type, fmt::join(known, ", "));
}

/// What changes results and is never supported, whatever the family.
void refuse_unsupported(const ConfigKeys& keys) {
  if (keys.has("quantization_config")) {
    throw data_error(
        "{}: the weights are quantized, and Ballast reads float32, bfloat16 and float16 alone; "
        "take "
        "the model that it was made from",
        keys.place("quantization_config"));
  }
  if (keys.text("hidden_act", "silu") != "silu") keys.refuse("hidden_act", "is not silu");
  if (keys.number("partial_rotary_factor", 1.0) != 1.0) {
    keys.refuse("partial_rotary_factor", "is not 1: Ballast rotates whole heads");
  }
}

void read_sizes(const ConfigKeys& keys, const Family& family, model::ModelConfig& model) {
  model.dim = keys.whole("hidden_size");
  model.layers = keys.whole("num_hidden_layers");
  model.heads = keys.whole("num_attention_heads");
  model.ffn = keys.whole("intermediate_size");
  model.vocabulary = keys.whole("vocab_size");
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "vocab_size"}) {
    if (keys.whole(key) == 0) keys.refuse(key, "is no size of a model");
  }
  const std::size_t kv_heads = family.kv_heads == 0 ? model.heads : family.kv_heads;
  model.kv_heads =
      keys.whole("num_key_value_heads", keys.has("num_key_value_heads") ? 0 : kv_heads);
  const std::size_t head_dim = keys.whole("head_dim", family.head_dim);
  const bool is_plain = head_dim == 0 || head_dim * model.heads == model.dim;
  model.own_head_dim = is_plain ? 0 : head_dim;
  model.context = keys.whole("max_position_embeddings", family.context);
  model.tie_embeddings = keys.boolean("tie_word_embeddings", family.ties_embeddings);
  model.norm_epsilon = static_cast<float>(keys.number("rms_norm_eps", family.norm_epsilon));
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

/// The layers of layer_types that see all, as a rule of Window's, or nothing if they follow none.
std::optional<model::Window> window_of(const std::vector<std::string>& types, std::size_t tokens) {
  const auto fits = [&](const model::Window& window) {
    for (std::size_t layer = 0; layer < types.size(); ++layer) {
      const bool slides = types[layer] == "sliding_attention";
      if (!slides && types[layer] != "full_attention") return false;
      if (slides != (window.of(layer) != 0)) return false;
    }
    return true;
  };
  for (std::size_t first = 0; first <= types.size(); ++first) {
    for (std::size_t every = 0; every <= types.size(); ++every) {
      const model::Window window{tokens, first, every == 1 ? 0 : every};
      if (fits(window)) return window;
    }
  }
  return std::nullopt;
}

void read_window(const ConfigKeys& keys, const Family& family, model::ModelConfig& model) {
  const bool is_used =
      family.window_use == Family::WindowUse::all_layers ||
      (family.window_use == Family::WindowUse::by_key && keys.boolean("use_sliding_window", false));
  if (!is_used || !keys.has("sliding_window")) return;
  const std::size_t tokens = keys.whole("sliding_window");
  if (tokens == 0) keys.refuse("sliding_window", "is no number of tokens");
  const auto types = keys.texts("layer_types");
  if (types.empty()) {
    const bool starts_later = family.window_use == Family::WindowUse::by_key;
    model.window = {tokens, starts_later ? keys.whole("max_window_layers", 28) : 0, 0};
  } else {
    if (types.size() != model.layers) keys.refuse("layer_types", "does not name every layer");
    const auto window = window_of(types, tokens);
    if (!window) {
      keys.refuse("layer_types",
                  "follows no rule that Ballast has: windows from a layer on, but every n-th");
    }
    model.window = *window;
  }
  if (model.window.first_layer >= model.layers) model.window = {};
}

/// SmolLM3: 1 where a layer rotates.
void read_layers_without_positions(const ConfigKeys& keys, const Family& family,
                                   model::ModelConfig& model) {
  if (family.nope_every == 0) return;
  model.nope_every = keys.whole("no_rope_layer_interval", family.nope_every);
  const auto rotates = keys.ids("no_rope_layers");
  if (rotates.empty()) return;
  if (rotates.size() != model.layers) keys.refuse("no_rope_layers", "does not name every layer");
  const auto follows = [&](std::size_t every) {
    for (std::size_t layer = 0; layer < rotates.size(); ++layer) {
      if ((rotates[layer] == 0) != (every != 0 && (layer + 1) % every == 0)) return false;
    }
    return true;
  };
  for (std::size_t every = 0; every <= model.layers; ++every) {
    model.nope_every = every;
    if (follows(every)) return;
  }
  keys.refuse("no_rope_layers", "follows no rule that Ballast has: every n-th layer");
}

/// An Error of the model's own keys as one of the file.
void require_valid(const model::ModelConfig& model, const std::filesystem::path& file) {
  try {
    model.validate();
  } catch (const Error& error) {
    throw data_error("{}: {}", file.string(), error.what());
  }
}

std::optional<std::int32_t> first_of(const std::vector<std::int32_t>& ids) {
  return ids.empty() ? std::nullopt : std::optional{ids.front()};
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
  read_sizes(keys, family, model);
  read_biases(keys, family, model);
  model.rope = read_rope(keys, family.rope_base, model);
  read_window(keys, family, model);
  read_layers_without_positions(keys, family, model);
  if (const double std = keys.number("initializer_range", 0.02); std >= 0.0) model.init_std = std;
  config.bos = first_of(keys.ids("bos_token_id"));
  config.eos = keys.ids("eos_token_id");
  config.pad = first_of(keys.ids("pad_token_id"));
  require_valid(model, file);
  return config;
}

HuggingFaceConfig read_huggingface_config(const std::filesystem::path& folder) {
  const auto file = folder / "config.json";
  return parse_huggingface_config(storage::read_text(file, kMostBytes), file);
}

}  // namespace ballast::formats
