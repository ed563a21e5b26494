#include <fmt/ranges.h>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/gguf/gguf_keys.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_names.hpp"
#include "formats/gguf/gguf_rope.hpp"

namespace ballast::formats {

namespace {

// No model comes near these, and products of a few stay within 64 bits.
constexpr std::size_t kMostWidth = std::size_t{1} << 20;
constexpr std::size_t kMostLayers = std::size_t{1} << 16;
constexpr std::size_t kMostVocabulary = std::size_t{1} << 28;

const GgufArchitecture& require_architecture(const GgufKeys& keys) {
  constexpr const char* kKey = "general.architecture";
  if (!keys.has(kKey)) {
    throw data_error("{} is missing: it names the kind of the model", keys.place(kKey));
  }
  const std::string name = keys.text(kKey, "");
  if (const auto* const found = find_gguf_architecture(name)) return *found;
  std::vector<std::string_view> known;
  for (const auto& architecture : gguf_architectures()) known.push_back(architecture.name);
  throw data_error("{} = '{}' is a kind that Ballast does not compute; it knows {}",
                   keys.place(kKey), excerpt(name), fmt::join(known, ", "));
}

/// What changes results and is never supported, whatever the architecture.
void refuse_unsupported(const GgufKeys& keys, const std::string& prefix) {
  if (keys.text("general.type", "model") != "model") {
    keys.refuse("general.type", "is not 'model': take the file of the model itself");
  }
  if (keys.whole("split.count", 1) > 1) {
    keys.refuse("split.count",
                "says that the model is split over files: merge them with llama-gguf-split");
  }
  for (const char* const key : {"expert_count", "nextn_predict_layers"}) {
    if (keys.whole(prefix + key, 0) != 0) keys.refuse(prefix + key, "is not 0: no such model");
  }
  if (!keys.boolean(prefix + "attention.causal", true)) {
    keys.refuse(prefix + "attention.causal", "is false: Ballast computes causal models");
  }
}

/// Queries, keys and values are of one size, and rotated whole.
std::size_t read_head_dim(const GgufKeys& keys, const std::string& prefix,
                          const model::ModelConfig& model) {
  const std::string key_length = prefix + "attention.key_length";
  const std::size_t head_dim =
      keys.has(key_length) ? keys.size(key_length, kMostWidth) : model.dim / model.heads;
  for (const char* const name : {"attention.value_length", "rope.dimension_count"}) {
    if (keys.whole(prefix + name, head_dim) == head_dim) continue;
    keys.refuse(prefix + name, fmt::format("is not the {} of a key: Ballast rotates whole heads "
                                           "and has values of their size",
                                           head_dim));
  }
  return head_dim;
}

void read_sizes(const GgufKeys& keys, const std::string& prefix, model::ModelConfig& model) {
  model.context = keys.size(prefix + "context_length", std::size_t{1} << 30);
  model.dim = keys.size(prefix + "embedding_length", kMostWidth);
  model.layers = keys.size(prefix + "block_count", kMostLayers);
  model.ffn = keys.size(prefix + "feed_forward_length", kMostWidth);
  model.heads = keys.size(prefix + "attention.head_count", kMostWidth);
  const std::string kv_heads = prefix + "attention.head_count_kv";
  model.kv_heads = keys.has(kv_heads) ? keys.size(kv_heads, kMostWidth) : model.heads;
  const std::size_t head_dim = read_head_dim(keys, prefix, model);
  model.own_head_dim = head_dim * model.heads == model.dim ? 0 : head_dim;
  const std::string epsilon = prefix + "attention.layer_norm_rms_epsilon";
  if (!keys.has(epsilon)) throw data_error("{} is missing", keys.place(epsilon));
  model.norm_epsilon = static_cast<float>(keys.number(epsilon, 0.0));
  if (model.norm_epsilon <= 0.0f) keys.refuse(epsilon, "is not above 0");
}

float read_cap(const GgufKeys& keys, const std::string& key, double fallback) {
  const auto cap = static_cast<float>(keys.number(key, fallback));
  if (cap <= 0.0f) keys.refuse(key, "is not above 0");
  return cap;
}

void read_gemma(const GgufKeys& keys, const std::string& prefix, model::ModelConfig& model) {
  model.norm_placement = model::NormPlacement::both;
  model.activation = model::FeedForward::geglu_tanh;
  model.gain_offset = true;
  model.scale_embedding = true;
  model.attention_softcap = read_cap(keys, prefix + "attn_logit_softcapping", 50.0);
  model.logit_softcap = read_cap(keys, prefix + "final_logit_softcapping", 30.0);
  model.attention_scale = gemma_attention_scale(model);
  model.window = {.tokens = keys.whole(prefix + "attention.sliding_window", 4096), .all_every = 2};
  if (model.window.tokens == 0) {
    keys.refuse(prefix + "attention.sliding_window", "is no number of tokens");
  }
  const std::string pattern = prefix + "attention.sliding_window_pattern";
  if (keys.whole(pattern, 2) != 2) keys.refuse(pattern, "is not 2: every other layer");
}

/// What the tensors tell.
void read_tensors(const GgufFile& file, model::ModelConfig& model) {
  const auto has = [&](std::string_view tensor) { return file.contains(gguf_name(tensor)); };
  const GgufTensor& embedding = file.tensor(gguf_name("embedding"));
  if (embedding.shape.size() != 2 || embedding.shape.front() == 0 ||
      embedding.shape.front() > kMostVocabulary) {
    throw data_error("{}: tensor '{}' has no rows from 1 to {}", file.path().string(),
                     embedding.name, kMostVocabulary);
  }
  model.vocabulary = embedding.shape.front();
  model.tie_embeddings = !has("head");
  model.biases = {.qkv = has("block.0.bq"),
                  .attention_output = has("block.0.bo"),
                  .ffn = has("block.0.b_gate")};
}

std::optional<std::int32_t> read_token(const GgufKeys& keys, std::string_view key,
                                       std::size_t vocabulary) {
  const auto id = keys.id(key);
  if (id && static_cast<std::size_t>(*id) >= vocabulary) {
    keys.refuse(key, fmt::format("is beyond the model's vocabulary of {}", vocabulary));
  }
  return id;
}

/// An Error of the model's own keys as one of the file.
void require_valid(const model::ModelConfig& model, const std::filesystem::path& file) {
  try {
    model.validate();
  } catch (const Error& error) {
    throw data_error("{}: {}", file.string(), error.what());
  }
}

}  // namespace

GgufModel read_gguf_model(const GgufFile& file) {
  const GgufKeys keys{file.path(), file.metadata()};
  const GgufArchitecture& architecture = require_architecture(keys);
  const std::string prefix = fmt::format("{}.", architecture.name);
  refuse_unsupported(keys, prefix);
  GgufModel found{.architecture = &architecture, .model = {}};
  model::ModelConfig& model = found.model;
  read_sizes(keys, prefix, model);
  read_tensors(file, model);
  model.qk_norm = architecture.qk_norm;
  model.nope_every = architecture.nope_every;
  if (architecture.is_gemma) read_gemma(keys, prefix, model);
  model.rope = read_gguf_rope(file, keys, prefix, model);
  require_valid(model, file.path());
  found.bos = read_token(keys, "tokenizer.ggml.bos_token_id", model.vocabulary);
  found.eos = read_token(keys, "tokenizer.ggml.eos_token_id", model.vocabulary);
  found.pad = read_token(keys, "tokenizer.ggml.padding_token_id", model.vocabulary);
  return found;
}

}  // namespace ballast::formats
