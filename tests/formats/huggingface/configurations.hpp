#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::test {

/// Everything of a model that config.json says, for comparing. Windows and rotations layer by
/// layer: several rules may say the same of a few layers.
inline std::string text_of(const model::ModelConfig& c) {
  std::string text = fmt::format(
      "vocabulary {} dim {} layers {} heads {} kv_heads {} head_dim {} ffn {} context {} "
      "activation {} norm {} {} {} qk_norm {} tie {} position {} scale {} biases {} {} {} "
      "init_std {}\n",
      c.vocabulary, c.dim, c.layers, c.heads, c.kv_heads, c.head_dim(), c.ffn, c.context,
      name_of(c.activation), name_of(c.norm), name_of(c.norm_placement), c.norm_epsilon, c.qk_norm,
      c.tie_embeddings, name_of(c.position), c.scale_embedding, c.biases.qkv,
      c.biases.attention_output, c.biases.ffn, c.init_std);
  const kernels::RopeRule& r = c.rope;
  text += fmt::format("rope {} {} {} {} {} {} {} {} {} {}\n", r.base, name_of(r.scaling), r.factor,
                      r.original_context, r.low_frequency, r.high_frequency, r.beta_fast,
                      r.beta_slow, r.truncate, r.magnitude);
  for (std::size_t layer = 0; layer < c.layers; ++layer) {
    text += fmt::format("{}{} ", c.window.of(layer), c.rotates(layer) ? "" : " unrotated");
  }
  return text;
}

/// The smallest configuration that is read: all sizes, and what else is the family's default.
inline Json small_config(const std::string& model_type) {
  return {{"model_type", model_type}, {"hidden_size", 32},        {"intermediate_size", 48},
          {"num_hidden_layers", 6},   {"num_attention_heads", 4}, {"num_key_value_heads", 2},
          {"vocab_size", 64}};
}

inline formats::HuggingFaceConfig parse(const Json& json) {
  return formats::parse_huggingface_config(json.dump(), "folder/config.json");
}

/// The same with one key more, or with another value for it.
inline model::ModelConfig model_with(Json json, const std::string& key, Json value) {
  json[key] = std::move(value);
  return parse(json).model;
}

/// Without one key.
inline Json without(Json json, const std::string& key) {
  json.erase(key);
  return json;
}

/// The message of the data Error that the text is refused with.
inline std::string refusal(const std::string& text) {
  const auto message =
      data_error_of([&] { (void)formats::parse_huggingface_config(text, "folder/config.json"); });
  EXPECT_TRUE(message.starts_with("folder/config.json: ")) << message;
  return message;
}

inline std::string refusal_with(Json json, const std::string& key, Json value) {
  json[key] = std::move(value);
  return refusal(json.dump());
}

}  // namespace ballast::test
