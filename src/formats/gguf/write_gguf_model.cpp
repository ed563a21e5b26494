#include <string>

#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_rope.hpp"

namespace ballast::formats {

GgufMetadata gguf_model_keys(const model::ModelConfig& model) {
  const GgufArchitecture& architecture = gguf_architecture_of(model);
  const std::string prefix = std::string{architecture.name} + ".";
  GgufMetadata keys{{"general.architecture", std::string{architecture.name}},
                    {"general.type", std::string{"model"}}};
  const auto add = [&](const char* name, std::size_t value) {
    keys.push_back({prefix + name, static_cast<std::uint32_t>(value)});
  };
  const auto add_number = [&](const char* name, float value) {
    keys.push_back({prefix + name, value});
  };
  add("context_length", model.context);
  add("embedding_length", model.dim);
  add("block_count", model.layers);
  add("feed_forward_length", model.ffn);
  add("attention.head_count", model.heads);
  add("attention.head_count_kv", model.kv_heads);
  add("attention.key_length", model.head_dim());
  add("attention.value_length", model.head_dim());
  add_number("attention.layer_norm_rms_epsilon", model.norm_epsilon);
  add("vocab_size", model.vocabulary);
  if (architecture.is_gemma) {
    add("attention.sliding_window", model.window.tokens);
    add_number("attn_logit_softcapping", model.attention_softcap);
    add_number("final_logit_softcapping", model.logit_softcap);
  }
  for (auto& entry : gguf_rope_keys(model, prefix)) keys.push_back(std::move(entry));
  return keys;
}

}  // namespace ballast::formats
