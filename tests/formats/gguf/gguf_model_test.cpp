#include <gtest/gtest.h>

#include "base/error.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_rope.hpp"
#include "formats/gguf/made_up_gguf.hpp"
#include "formats/gguf/written_gguf.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "formats/huggingface/random_models.hpp"
#include "formats/huggingface/written_tensors.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::formats {
namespace {

using kernels::RopeScaling;
using test::data_error_of;
using test::expect_contains;
using test::small_model;
using test::write_gguf;

/// The message of the usage Error that such a model is refused with.
std::string refusal(const model::ModelConfig& model) {
  try {
    (void)gguf_architecture_of(model);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return {};
}

void expect_same_rope(const kernels::RopeRule& read, const kernels::RopeRule& written) {
  EXPECT_EQ(read.scaling, written.scaling);
  EXPECT_FLOAT_EQ(static_cast<float>(read.base), static_cast<float>(written.base));
  EXPECT_FLOAT_EQ(static_cast<float>(read.factor), static_cast<float>(written.factor));
  if (written.scaling != RopeScaling::yarn) return;
  EXPECT_EQ(read.original_context, written.original_context);
  EXPECT_FLOAT_EQ(static_cast<float>(read.beta_fast), static_cast<float>(written.beta_fast));
  EXPECT_FLOAT_EQ(static_cast<float>(read.beta_slow), static_cast<float>(written.beta_slow));
  EXPECT_NEAR(read.magnitude, written.magnitude, 1e-6);
}

void expect_same(const model::ModelConfig& read, const model::ModelConfig& written) {
  EXPECT_EQ(read.vocabulary, written.vocabulary);
  EXPECT_EQ(read.dim, written.dim);
  EXPECT_EQ(read.layers, written.layers);
  EXPECT_EQ(read.heads, written.heads);
  EXPECT_EQ(read.kv_heads, written.kv_heads);
  EXPECT_EQ(read.head_dim(), written.head_dim());
  EXPECT_EQ(read.ffn, written.ffn);
  EXPECT_EQ(read.context, written.context);
  EXPECT_EQ(read.activation, written.activation);
  EXPECT_EQ(read.norm_placement, written.norm_placement);
  EXPECT_EQ(read.qk_norm, written.qk_norm);
  EXPECT_EQ(read.tie_embeddings, written.tie_embeddings);
  EXPECT_EQ(read.norm_epsilon, written.norm_epsilon);
  EXPECT_EQ(read.gain_offset, written.gain_offset);
  EXPECT_EQ(read.attention_softcap, written.attention_softcap);
  EXPECT_EQ(read.logit_softcap, written.logit_softcap);
  EXPECT_EQ(read.scale_embedding, written.scale_embedding);
  EXPECT_EQ(read.biases.qkv, written.biases.qkv);
  EXPECT_EQ(read.biases.attention_output, written.biases.attention_output);
  EXPECT_EQ(read.biases.ffn, written.biases.ffn);
  for (std::size_t layer = 0; layer < written.layers; ++layer) {
    EXPECT_EQ(read.window.of(layer), written.window.of(layer));
    EXPECT_EQ(read.rotates(layer), written.rotates(layer));
  }
  expect_same_rope(read.rope, written.rope);
}

/// What llama.cpp has no word for, taken out of a model that was drawn.
void make_expressible(model::ModelConfig& c, std::string_view family) {
  if (c.rope.scaling == RopeScaling::dynamic || c.rope.scaling == RopeScaling::llama3) {
    c.rope = {.base = c.rope.base};
  }
  c.rope.truncate = true;
  if (family == "smollm3") c.nope_every = 4;
  if (family == "gemma2") {
    c.tie_embeddings = true;
    c.attention_scale = 0.0f;
    c.attention_softcap = 50.0f;
    c.logit_softcap = 30.0f;
    c.window = {.tokens = c.context, .all_every = 2};
    c.biases = {};
  } else {
    c.window = {};
  }
  if (family == "qwen3") c.biases.attention_output = false;
  c.vocabulary %= 1000;
  c.vocabulary += 1;
  c.dim = std::min<std::size_t>(c.dim, c.heads * 4);
  c.ffn = c.ffn % 100 + 1;
}

class GgufModels : public testing::TestWithParam<const char*> {};

TEST_P(GgufModels, ComeBackAsTheyWere) {
  const std::string_view family = GetParam();
  test::RandomModels random{7};
  for (int i = 0; i < 40; ++i) {
    model::ModelConfig config = random.draw(family == "llama3" ? "llama" : family);
    make_expressible(config, family);
    const test::TemporaryFolder folder;
    write_gguf(config, folder / "m.gguf");
    const GgufModel read = read_gguf_model(GgufFile{folder / "m.gguf"});
    SCOPED_TRACE(fmt::format("{} {}", family, i));
    expect_same(read.model, config);
    EXPECT_FALSE(read.bos || read.eos || read.pad);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, GgufModels,
                         testing::Values("llama", "qwen2", "qwen3", "mistral", "smollm3",
                                         "gemma2"));

TEST(GgufModel, OfTheFixturesHaveTheirArchitectures) {
  for (const auto& [name, architecture] :
       {std::pair{"llama", "llama"}, std::pair{"llama-bias", "llama"},
        std::pair{"llama-tied-rope3", "llama"}, std::pair{"mistral", "llama"},
        std::pair{"qwen2", "qwen2"}, std::pair{"qwen3", "qwen3"},
        std::pair{"qwen3-yarn", "qwen3"}}) {
    const auto config = read_huggingface_config(test::fixture_model(name)).model;
    EXPECT_EQ(gguf_architecture_of(config).name, architecture) << name;
  }
}

TEST(GgufModel, FactorsAreReadAsTheRuleThatGivesThem) {
  for (const auto& [context, factor, head_dim] :
       {std::tuple{8192u, 32.0, 64u}, std::tuple{8192u, 8.0, 128u}, std::tuple{32u, 8.0, 8u},
        std::tuple{5000u, 4.0, 64u}}) {
    model::ModelConfig config = small_model();
    config.context = 131'072;
    config.own_head_dim = head_dim;
    config.rope = {.base = 500'000.0,
                   .scaling = RopeScaling::llama3,
                   .factor = factor,
                   .original_context = context};
    const test::TemporaryFolder folder;
    write_gguf(config, folder / "m.gguf");
    const auto read = read_gguf_model(GgufFile{folder / "m.gguf"}).model.rope;
    EXPECT_EQ(read.scaling, RopeScaling::llama3);
    const auto theirs = kernels::rope_frequencies(read, head_dim).frequencies;
    const auto ours = kernels::rope_frequencies(config.rope, head_dim).frequencies;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_NEAR(theirs[i] / ours[i], 1.0, 1e-5) << context << " " << i;
    }
    if (context == 8192u) {
      EXPECT_EQ(read, config.rope);
    }
  }
}

TEST(GgufModel, WhatLlamaCppDoesNotComputeIsRefusedByItsKey) {
  const auto with = [](auto&& change) {
    model::ModelConfig config = small_model();
    change(config);
    return refusal(config);
  };
  using model::ModelConfig;
  EXPECT_EQ(with([](ModelConfig&) {}), "");
  expect_contains(with([](ModelConfig& c) { c.norm = kernels::NormKind::layer; }),
                  "model.norm = layer: rms could be exported");
  expect_contains(with([](ModelConfig& c) { c.norm_placement = model::NormPlacement::post; }),
                  "model.norm_placement = post");
  expect_contains(with([](ModelConfig& c) { c.position = model::Position::alibi; }),
                  "model.position = alibi");
  expect_contains(with([](ModelConfig& c) { c.parallel_sublayers = true; }),
                  "model.parallel_sublayers = true");
  expect_contains(with([](ModelConfig& c) { c.layers = 513; }), "model.layers = 513");
  expect_contains(with([](ModelConfig& c) { c.rope.scaling = RopeScaling::dynamic; }),
                  "model.rope_scaling = dynamic");
  expect_contains(with([](ModelConfig& c) {
                    c.rope.scaling = RopeScaling::yarn;
                    c.rope.truncate = false;
                  }),
                  "model.rope_truncate = false");
  expect_contains(with([](ModelConfig& c) { c.activation = model::FeedForward::geglu; }),
                  "model.activation = geglu");
  expect_contains(with([](ModelConfig& c) { c.scale_embedding = true; }), "model.scale_embedding");
  expect_contains(with([](ModelConfig& c) { c.attention_softcap = 9.0f; }),
                  "model.attention_softcap = 9");
  expect_contains(with([](ModelConfig& c) { c.window.tokens = 8; }), "model.window = 8");
  EXPECT_EQ(with([](ModelConfig& c) { c.window.tokens = c.context = 8; }), "");
  expect_contains(with([](ModelConfig& c) {
                    c.qk_norm = true;
                    c.rope.scaling = RopeScaling::llama3;
                  }),
                  "model.rope_scaling = llama3: together with what makes it a model of kind "
                  "'qwen3'");
  expect_contains(with([](ModelConfig& c) { c.qk_norm = c.biases.ffn = true; }),
                  "model.ffn_bias = true");
}

TEST(GgufModel, RulesOfLayersAreHeldAgainstTheLayersThereAre) {
  model::ModelConfig config = small_model();  // of two layers
  config.nope_every = 3;
  EXPECT_EQ(gguf_architecture_of(config).name, "llama") << "both layers rotate";
  config.layers = 3;
  expect_contains(refusal(config), "model.nope_every = 3");
  config.nope_every = 4;
  config.layers = 7;
  EXPECT_EQ(gguf_architecture_of(config).name, "smollm3");
}

/// A file of a model, of which single keys are changed.
class GgufModelKeys : public testing::Test {
 protected:
  std::string error_with(const GgufEntry& changed) {
    GgufMetadata metadata = gguf_model_keys(test::with_context(small_model()));
    std::erase_if(metadata, [&](const auto& entry) { return entry.key == changed.key; });
    metadata.push_back(changed);
    return error_of(metadata);
  }
  std::string error_without(std::string_view key) {
    GgufMetadata metadata = gguf_model_keys(test::with_context(small_model()));
    EXPECT_EQ(std::erase_if(metadata, [&](const auto& entry) { return entry.key == key; }), 1u);
    return error_of(metadata);
  }

 private:
  std::string error_of(const GgufMetadata& metadata) {
    const GgufTensor embedding{.name = "token_embd.weight", .shape = {70, 32}, .numel = 70 * 32};
    const auto path = folder_ / "m.gguf";
    test::write_bytes(path, gguf_header_bytes(metadata, {{embedding}}) + std::string(8960, '\0'));
    const auto message = data_error_of([&] { (void)read_gguf_model(GgufFile{path}); });
    expect_contains(message, path.string());
    return message;
  }
  test::TemporaryFolder folder_;
};

TEST_F(GgufModelKeys, ThatAreNeededAreNamed) {
  for (const char* key : {"general.architecture", "llama.context_length", "llama.embedding_length",
                          "llama.block_count", "llama.feed_forward_length",
                          "llama.attention.head_count", "llama.attention.layer_norm_rms_epsilon"}) {
    expect_contains(error_without(key), fmt::format("{} is missing", key));
  }
}

TEST_F(GgufModelKeys, ThatAskForAnotherModelAreRefused) {
  using std::string;
  expect_contains(error_with({"general.architecture", string{"mamba"}}),
                  "'mamba' is a kind that Ballast does not compute; it knows llama, qwen2, qwen3, "
                  "smollm3, gemma2");
  expect_contains(error_with({"general.type", string{"adapter"}}), "is not 'model'");
  expect_contains(error_with({"split.count", std::uint16_t{3}}), "llama-gguf-split");
  expect_contains(error_with({"llama.expert_count", std::uint32_t{8}}), "llama.expert_count = 8");
  expect_contains(error_with({"llama.attention.causal", false}), "causal");
  expect_contains(error_with({"llama.attention.value_length", std::uint32_t{4}}),
                  "llama.attention.value_length = 4 is not the 8 of a key");
  expect_contains(error_with({"llama.rope.dimension_count", std::uint32_t{4}}), "dimension_count");
  expect_contains(error_with({"llama.rope.scaling.type", string{"longrope"}}), "'longrope'");
  expect_contains(error_with({"llama.rope.scaling.factor", 0.0f}), "is not above 0");
  expect_contains(error_with({"llama.rope.freq_base", 1.0f}), "is not above 1");
}

TEST_F(GgufModelKeys, ThatAreNoSizesAreRefused) {
  const std::string key = "llama.attention.head_count";
  for (const GgufValue& value : std::vector<GgufValue>{
           std::uint32_t{0}, std::int32_t{-1}, 4.0f, std::string{"4"}, true, std::uint64_t{1} << 40,
           GgufArray{std::vector<std::uint32_t>{4, 4}}}) {
    expect_contains(error_with({key, value}), key + " = ");
  }
  expect_contains(error_with({"llama.attention.head_count_kv", std::uint32_t{3}}),
                  "not divisible by model.kv_heads");
  expect_contains(error_with({"llama.attention.layer_norm_rms_epsilon", 0.0f}), "is not above 0");
}

TEST_F(GgufModelKeys, ThatNameTokensBeyondTheVocabularyAreRefused) {
  for (const char* role : {"bos", "eos", "padding"}) {
    expect_contains(
        error_with({fmt::format("tokenizer.ggml.{}_token_id", role), std::uint32_t{70}}),
        fmt::format("{}_token_id = 70 is beyond the model's vocabulary of 70", role));
  }
}

}  // namespace
}  // namespace ballast::formats
