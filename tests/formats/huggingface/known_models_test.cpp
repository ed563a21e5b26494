#include <gtest/gtest.h>

#include "formats/huggingface/configurations.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "storage/files.hpp"

// Configurations as they are published, word for word where a word matters.
namespace ballast::formats {
namespace {

using kernels::RopeScaling;
using test::text_of;

HuggingFaceConfig parse(std::string_view text) {
  return parse_huggingface_config(text, "config.json");
}

class Fixture : public testing::TestWithParam<std::string> {};

TEST_P(Fixture, BothSpellingsAreOneModel) {
  const auto folder = test::fixture_model(GetParam());
  const auto five = read_huggingface_config(folder);
  const auto four = parse(storage::read_text(folder / "config.v4.json"));
  EXPECT_EQ(text_of(five.model), text_of(four.model));
  EXPECT_EQ(five.model_type, four.model_type);
  EXPECT_EQ(five.model_type, GetParam().substr(0, GetParam().find('-')));
  EXPECT_EQ(five.special.bos, 1);
  EXPECT_EQ(five.special.eos, std::vector<std::int32_t>{2});
  EXPECT_EQ(five.special.pad, std::nullopt);
  EXPECT_EQ(five.model.vocabulary, 64u);
  EXPECT_EQ(five.model.context, 128u);
  EXPECT_EQ(five.model.init_std, 0.15);
}

TEST_P(Fixture, WhatIsWrittenIsTheSameModel) {
  const auto config = read_huggingface_config(test::fixture_model(GetParam()));
  const auto again = parse(huggingface_config_json(config, "float32"));
  EXPECT_EQ(text_of(again.model), text_of(config.model));
  EXPECT_EQ(again.special.eos, config.special.eos);
}

INSTANTIATE_TEST_SUITE_P(Models, Fixture, testing::ValuesIn(test::fixture_models()),
                         [](const auto& model) { return test::test_name(model.param); });

void expect_sizes(const model::ModelConfig& c, const std::vector<std::size_t>& expected) {
  EXPECT_EQ((std::vector{c.vocabulary, c.dim, c.ffn, c.layers, c.heads, c.kv_heads, c.head_dim(),
                         c.context}),
            expected);
}

TEST(KnownModels, Llama31) {
  const auto config = parse(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
    "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
    "intermediate_size": 14336, "max_position_embeddings": 131072, "mlp_bias": false,
    "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256})");
  expect_sizes(config.model, {128256, 4096, 14336, 32, 32, 8, 128, 131072});
  EXPECT_EQ(config.model.rope, (kernels::RopeRule{.base = 500000.0,
                                                  .scaling = RopeScaling::llama3,
                                                  .factor = 8.0,
                                                  .original_context = 8192}));
  EXPECT_EQ(config.model.norm_epsilon, 1e-5f);
  EXPECT_FALSE(config.model.tie_embeddings);
  EXPECT_FALSE(config.model.biases.qkv);
  EXPECT_EQ(config.special.bos, 128000);
  EXPECT_EQ(config.special.eos, (std::vector<std::int32_t>{128001, 128008, 128009}));
  EXPECT_EQ(config.special.pad, std::nullopt);
}

TEST(KnownModels, Llama32) {
  const auto model = parse(R"({"bos_token_id": 128000, "eos_token_id": 128001, "head_dim": 64,
    "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 8192,
    "max_position_embeddings": 131072, "model_type": "llama", "num_attention_heads": 32,
    "num_hidden_layers": 16, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
      "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "rope_theta": 500000.0, "tie_word_embeddings": true, "vocab_size": 128256})")
                         .model;
  expect_sizes(model, {128256, 2048, 8192, 16, 32, 8, 64, 131072});
  EXPECT_EQ(model.own_head_dim, 0u);
  EXPECT_EQ(model.rope.factor, 32.0);
  EXPECT_TRUE(model.tie_embeddings);
}

TEST(KnownModels, Qwen25) {
  const auto model = parse(R"({"bos_token_id": 151643, "eos_token_id": 151643,
    "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864,
    "max_position_embeddings": 32768, "max_window_layers": 24, "model_type": "qwen2",
    "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768,
    "tie_word_embeddings": true, "use_mrope": false, "use_sliding_window": false,
    "vocab_size": 151936})")
                         .model;
  expect_sizes(model, {151936, 896, 4864, 24, 14, 2, 64, 32768});
  EXPECT_TRUE(model.biases.qkv);
  EXPECT_FALSE(model.biases.attention_output);
  EXPECT_FALSE(model.biases.ffn);
  EXPECT_FALSE(model.qk_norm);
  EXPECT_EQ(model.window.tokens, 0u);
  EXPECT_EQ(model.rope, (kernels::RopeRule{.base = 1000000.0}));
}

TEST(KnownModels, Qwen3) {
  const auto model = parse(R"({"attention_bias": false, "bos_token_id": 151643,
    "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024,
    "intermediate_size": 3072, "max_position_embeddings": 40960, "max_window_layers": 28,
    "model_type": "qwen3", "num_attention_heads": 16, "num_hidden_layers": 28,
    "num_key_value_heads": 8, "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000,
    "sliding_window": null, "tie_word_embeddings": true, "use_sliding_window": false,
    "vocab_size": 151936})")
                         .model;
  expect_sizes(model, {151936, 1024, 3072, 28, 16, 8, 128, 40960});
  EXPECT_EQ(model.own_head_dim, 128u);
  EXPECT_TRUE(model.qk_norm);
  EXPECT_FALSE(model.biases.qkv);
  EXPECT_TRUE(model.tie_embeddings);
  EXPECT_EQ(model.rope.base, 1000000.0);
}

TEST(KnownModels, Mistral) {
  const auto model = parse(R"({"bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
    "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
    "max_position_embeddings": 32768, "model_type": "mistral", "num_attention_heads": 32,
    "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": false,
    "vocab_size": 32000})")
                         .model;
  expect_sizes(model, {32000, 4096, 14336, 32, 32, 8, 128, 32768});
  EXPECT_EQ(model.window.of(0), 4096u);
  EXPECT_EQ(model.window.of(31), 4096u);
}

TEST(KnownModels, MistralNemo) {
  const auto model = parse(R"({"bos_token_id": 1, "eos_token_id": 2, "head_dim": 128,
    "hidden_act": "silu", "hidden_size": 5120, "intermediate_size": 14336,
    "max_position_embeddings": 1024000, "model_type": "mistral", "num_attention_heads": 32,
    "num_hidden_layers": 40, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
    "rope_theta": 1000000.0, "sliding_window": null, "tie_word_embeddings": false,
    "vocab_size": 131072})")
                         .model;
  expect_sizes(model, {131072, 5120, 14336, 40, 32, 8, 128, 1024000});
  EXPECT_EQ(model.own_head_dim, 128u);
  EXPECT_EQ(model.window.tokens, 0u);
}

TEST(KnownModels, SmolLM2) {
  const auto model = parse(R"({"attention_bias": false, "bos_token_id": 0, "eos_token_id": 0,
    "hidden_act": "silu", "hidden_size": 576, "initializer_range": 0.041666666666666664,
    "intermediate_size": 1536, "is_llama_config": true, "max_position_embeddings": 8192,
    "mlp_bias": false, "model_type": "llama", "num_attention_heads": 9, "num_hidden_layers": 30,
    "num_key_value_heads": 3, "rms_norm_eps": 1e-05, "rope_interleaved": false,
    "rope_scaling": null, "rope_theta": 100000, "tie_word_embeddings": true,
    "vocab_size": 49152})")
                         .model;
  expect_sizes(model, {49152, 576, 1536, 30, 9, 3, 64, 8192});
  EXPECT_EQ(model.rope, (kernels::RopeRule{.base = 100000.0}));
  EXPECT_EQ(model.init_std, 1.0 / 24.0);
  EXPECT_TRUE(model.tie_embeddings);
}

TEST(KnownModels, SmolLM3) {
  const auto config = parse(R"({"attention_bias": false, "bos_token_id": null,
    "eos_token_id": 128012, "hidden_act": "silu", "hidden_size": 2048,
    "intermediate_size": 11008, "max_position_embeddings": 65536, "max_window_layers": 28,
    "mlp_bias": false, "model_type": "smollm3", "no_rope_layer_interval": 4,
    "no_rope_layers": [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0,
      1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0],
    "num_attention_heads": 16, "num_hidden_layers": 36, "num_key_value_heads": 4,
    "pad_token_id": 128004, "rms_norm_eps": 1e-06, "rope_scaling": null,
    "rope_theta": 5000000.0, "sliding_window": null, "use_sliding_window": false,
    "vocab_size": 128256})");
  expect_sizes(config.model, {128256, 2048, 11008, 36, 16, 4, 128, 65536});
  EXPECT_EQ(config.model.nope_every, 4u);
  EXPECT_TRUE(config.model.rotates(2));
  EXPECT_FALSE(config.model.rotates(35));
  EXPECT_EQ(config.model.rope.base, 5000000.0);
  EXPECT_TRUE(config.model.tie_embeddings) << "the family's default";
  EXPECT_EQ(config.special.bos, std::nullopt);
  EXPECT_EQ(config.special.pad, 128004);
}

}  // namespace
}  // namespace ballast::formats
