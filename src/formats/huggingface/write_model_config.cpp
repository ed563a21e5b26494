#include <string>

#include "base/json.hpp"
#include "formats/huggingface/family.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "formats/huggingface/rope_keys.hpp"

namespace ballast::formats {

namespace {

Json or_null(const std::optional<std::int32_t>& id) { return id ? Json(*id) : Json(nullptr); }

Json eos_of(const std::vector<std::int32_t>& ids) {
  if (ids.empty()) return nullptr;
  return ids.size() == 1 ? Json(ids.front()) : Json(ids);
}

void write_window(const Family& family, const model::ModelConfig& model, Json& json) {
  if (family.window_use == Family::WindowUse::none) return;
  const model::Window& window = model.window;
  json["sliding_window"] = window.tokens == 0 ? Json(nullptr) : Json(window.tokens);
  if (family.window_use != Family::WindowUse::by_key) return;
  json["use_sliding_window"] = window.tokens != 0;
  json["max_window_layers"] = window.tokens == 0 ? model.layers : window.first_layer;
  Json types = Json::array();
  for (std::size_t layer = 0; layer < model.layers; ++layer) {
    types.push_back(window.of(layer) == 0 ? "full_attention" : "sliding_attention");
  }
  json["layer_types"] = std::move(types);
}

void write_layers_without_positions(const Family& family, const model::ModelConfig& model,
                                    Json& json) {
  if (family.nope_every == 0) return;
  Json rotates = Json::array();
  for (std::size_t layer = 0; layer < model.layers; ++layer) {
    rotates.push_back(model.rotates(layer) ? 1 : 0);
  }
  json["no_rope_layer_interval"] = model.nope_every;
  json["no_rope_layers"] = std::move(rotates);
}

}  // namespace

std::string huggingface_config_json(const HuggingFaceConfig& config, std::string_view dtype) {
  const model::ModelConfig& model = config.model;
  const Family& family = family_of(model);
  Json json;
  json["architectures"] = {family.architecture};
  json["model_type"] = family.model_type;
  json["vocab_size"] = model.vocabulary;
  json["hidden_size"] = model.dim;
  json["intermediate_size"] = model.ffn;
  json["num_hidden_layers"] = model.layers;
  json["num_attention_heads"] = model.heads;
  json["num_key_value_heads"] = model.kv_heads;
  json["head_dim"] = model.head_dim();
  json["hidden_act"] = "silu";
  json["max_position_embeddings"] = model.context;
  json["initializer_range"] = model.init_std;
  json["rms_norm_eps"] = static_cast<double>(model.norm_epsilon);
  json["tie_word_embeddings"] = model.tie_embeddings;
  if (family.attention_bias == Family::AttentionBias::by_key) {
    json["attention_bias"] = model.biases.qkv;
  }
  if (family.has_mlp_bias_key) json["mlp_bias"] = model.biases.ffn;
  json["attention_dropout"] = 0.0;
  write_rope(model.rope, json);
  write_window(family, model, json);
  write_layers_without_positions(family, model, json);
  json["bos_token_id"] = or_null(config.bos);
  json["eos_token_id"] = eos_of(config.eos);
  json["pad_token_id"] = or_null(config.pad);
  json["torch_dtype"] = dtype;
  json["dtype"] = dtype;
  json["use_cache"] = true;
  return json.dump(2) + "\n";
}

}  // namespace ballast::formats
