#include <cmath>
#include <string>

#include "base/json.hpp"
#include "formats/huggingface/family.hpp"
#include "formats/huggingface/layer_keys.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "formats/huggingface/rope_keys.hpp"
#include "formats/shortest_decimal.hpp"

namespace ballast::formats {

namespace {

// Braces would make a list of one.
Json or_null(const std::optional<std::int32_t>& id) { return id ? Json(*id) : Json(nullptr); }

Json eos_of(const std::vector<std::int32_t>& ids) {
  if (ids.empty()) return nullptr;
  return ids.size() == 1 ? Json(ids.front()) : Json(ids);
}

Json cap_of(float cap) { return cap == 0.0f ? Json(nullptr) : Json(shortest_decimal(cap)); }

void write_gemma(const model::ModelConfig& model, Json& json) {
  json["hidden_act"] = "gelu_pytorch_tanh";
  json["hidden_activation"] = "gelu_pytorch_tanh";
  json["attn_logit_softcapping"] = cap_of(model.attention_softcap);
  json["final_logit_softcapping"] = cap_of(model.logit_softcap);
  // transformers takes whole numbers alone; the factor is the inverse of its root.
  const double scale = model.attention_scale == 0.0f
                           ? 1.0 / std::sqrt(static_cast<double>(model.head_dim()))
                           : static_cast<double>(model.attention_scale);
  json["query_pre_attn_scalar"] = std::llround(1.0 / (scale * scale));
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
  if (!family.is_gemma) json["hidden_act"] = "silu";
  json["max_position_embeddings"] = model.context;
  json["initializer_range"] = model.init_std;
  json["rms_norm_eps"] = shortest_decimal(model.norm_epsilon);
  json["tie_word_embeddings"] = model.tie_embeddings;
  if (family.attention_bias == Family::AttentionBias::by_key) {
    json["attention_bias"] = model.biases.qkv;
  }
  if (family.has_mlp_bias_key) json["mlp_bias"] = model.biases.ffn;
  json["attention_dropout"] = 0.0;
  if (family.is_gemma) write_gemma(model, json);
  write_rope(model.rope, json);
  write_layers(family, model, json);
  json["bos_token_id"] = or_null(config.special.bos);
  json["eos_token_id"] = eos_of(config.special.eos);
  json["pad_token_id"] = or_null(config.special.pad);
  json["torch_dtype"] = dtype;
  json["dtype"] = dtype;
  json["use_cache"] = true;
  return json.dump(2) + "\n";
}

}  // namespace ballast::formats
