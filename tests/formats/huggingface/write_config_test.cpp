#include <functional>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "formats/huggingface/configurations.hpp"
#include "formats/huggingface/family.hpp"
#include "formats/huggingface/random_models.hpp"
#include "support/bytes.hpp"

namespace ballast::formats {
namespace {

using test::RandomModels;
using test::text_of;

HuggingFaceConfig parse(const std::string& text) {
  return parse_huggingface_config(text, "config.json");
}

Json written(const model::ModelConfig& model, std::string_view dtype = "bfloat16") {
  return parse_json(huggingface_config_json({.model_type = "", .model = model}, dtype));
}

class EachFamily : public testing::TestWithParam<std::string> {};

TEST_P(EachFamily, WhatIsWrittenIsReadAsTheSameModel) {
  RandomModels models{42};
  for (int i = 0; i < 300; ++i) {
    HuggingFaceConfig config{.model_type = GetParam(), .model = models.draw(GetParam())};
    const auto token = [&] {
      return static_cast<std::int32_t>(models.whole(0, config.model.vocabulary - 1));
    };
    if (models.coin()) config.special.bos = token();
    if (models.coin()) config.special.pad = token();
    for (std::size_t ids = models.whole(0, 3); ids > 0; --ids)
      config.special.eos.push_back(token());
    const std::string text = huggingface_config_json(config, "float32");
    const HuggingFaceConfig again = parse(text);
    ASSERT_EQ(text_of(again.model), text_of(config.model)) << text;
    ASSERT_EQ(again.model_type, config.model_type) << text;
    ASSERT_EQ(again.special.bos, config.special.bos) << text;
    ASSERT_EQ(again.special.eos, config.special.eos) << text;
    ASSERT_EQ(again.special.pad, config.special.pad) << text;
  }
}

// Version 4 knows no rope_parameters, and version 5 may drop the old keys one day.
TEST_P(EachFamily, EitherSpellingOfRopeIsEnough) {
  RandomModels models{43};
  for (int i = 0; i < 100; ++i) {
    const auto model = models.draw(GetParam());
    Json old = written(model);
    Json recent = old;
    old.erase("rope_parameters");
    recent.erase("rope_theta");
    recent.erase("rope_scaling");
    ASSERT_EQ(text_of(test::parse(old).model), text_of(model));
    ASSERT_EQ(text_of(test::parse(recent).model), text_of(model));
  }
}

INSTANTIATE_TEST_SUITE_P(Families, EachFamily,
                         testing::Values("llama", "mistral", "qwen2", "qwen3", "smollm3"),
                         [](const auto& family) { return family.param; });

TEST(WriteConfig, FloatsHaveAsFewDigitsAsTheyNeed) {
  model::ModelConfig model;
  for (const auto& [epsilon, text] : std::vector<std::pair<float, std::string>>{
           {1e-6f, "1e-06"}, {1e-5f, "1e-05"}, {1e-12f, "1e-12"}, {0.001f, "0.001"}}) {
    model.norm_epsilon = epsilon;
    test::expect_contains(huggingface_config_json({.model_type = "", .model = model}, "float32"),
                          "\"rms_norm_eps\": " + text + ",");
  }
}

TEST(WriteConfig, NamesWhatOthersLookFor) {
  model::ModelConfig model;
  model.vocabulary = 100;
  const Json json = written(model);
  EXPECT_EQ(json.at("architectures"), Json::array({"LlamaForCausalLM"}));
  EXPECT_EQ(json.at("model_type"), "llama");
  EXPECT_EQ(json.at("hidden_act"), "silu");
  EXPECT_EQ(json.at("torch_dtype"), "bfloat16");
  EXPECT_EQ(json.at("dtype"), "bfloat16");
  EXPECT_EQ(json.at("head_dim"), 64);
  EXPECT_EQ(json.at("rope_theta"), 10000.0);
  EXPECT_TRUE(json.at("rope_scaling").is_null());
  EXPECT_EQ(json.at("rope_parameters"), (Json{{"rope_type", "default"}, {"rope_theta", 10000.0}}));
  EXPECT_TRUE(json.at("bos_token_id").is_null());
}

TEST(WriteConfig, OneIdIsANumberAndSeveralAreAList) {
  HuggingFaceConfig config{.model_type = "", .model = {}, .special = {1, {2}, 0}};
  config.model.vocabulary = 100;
  Json json = parse_json(huggingface_config_json(config, "float32"));
  EXPECT_EQ(json.at("bos_token_id"), 1);
  EXPECT_EQ(json.at("eos_token_id"), 2);
  EXPECT_EQ(json.at("pad_token_id"), 0);
  config.special.eos = {2, 5};
  json = parse_json(huggingface_config_json(config, "float32"));
  EXPECT_EQ(json.at("eos_token_id"), Json::array({2, 5}));
}

/// The family of the small model with something changed.
std::string family_with(const std::function<void(model::ModelConfig&)>& change) {
  model::ModelConfig model;
  change(model);
  return std::string{family_of(model).model_type};
}

TEST(WriteConfig, TakesTheFirstFamilyThatComputesTheModel) {
  EXPECT_EQ(family_with([](auto&) {}), "llama");
  EXPECT_EQ(family_with([](auto& c) { c.biases = {true, true, true}; }), "llama");
  EXPECT_EQ(family_with([](auto& c) { c.biases = {true, true, false}; }), "llama");
  EXPECT_EQ(family_with([](auto& c) { c.biases.qkv = true; }), "qwen2");
  EXPECT_EQ(family_with([](auto& c) { c.qk_norm = true; }), "qwen3");
  EXPECT_EQ(family_with([](auto& c) { c.window.tokens = 8; }), "mistral");
  EXPECT_EQ(family_with([](auto& c) { c.nope_every = 2; }), "smollm3");
  EXPECT_EQ(family_with([](auto& c) { c.window = {8, 1, 0}; }), "smollm3");
  // The configuration class of Llama demands that heads divide the width.
  EXPECT_EQ(family_with([](auto& c) {
              c.heads = 6;
              c.kv_heads = 3;
              c.own_head_dim = 32;
            }),
            "mistral");
}

std::string usage_error_with(const std::function<void(model::ModelConfig&)>& change) {
  model::ModelConfig model;
  change(model);
  try {
    (void)huggingface_config_json({.model_type = "", .model = model}, "float32");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(WriteConfig, RefusesWhatNoFamilyComputes) {
  using test::expect_contains;
  const auto expect = [](const char* key, const std::function<void(model::ModelConfig&)>& change) {
    expect_contains(usage_error_with(change), key);
  };
  expect("model.norm ", [](auto& c) { c.norm = kernels::NormKind::layer; });
  expect("model.norm_placement", [](auto& c) { c.norm_placement = model::NormPlacement::post; });
  expect("model.norm_placement", [](auto& c) { c.norm_placement = model::NormPlacement::none; });
  expect("model.activation", [](auto& c) { c.activation = model::FeedForward::gelu; });
  expect("model.position", [](auto& c) { c.position = model::Position::alibi; });
  expect("model.parallel_sublayers", [](auto& c) { c.parallel_sublayers = true; });
  expect("model.scale_embedding", [](auto& c) { c.scale_embedding = true; });
  expect("model.attention_output_bias", [](auto& c) { c.biases.attention_output = true; });
  expect("model.qk_norm", [](auto& c) {
    c.qk_norm = true;
    c.nope_every = 2;
  });
  expect("model.attention_scale", [](auto& c) {
    c.norm_placement = model::NormPlacement::both;
    c.activation = model::FeedForward::geglu_tanh;
    c.gain_offset = c.scale_embedding = true;
    c.attention_scale = 0.3f;
  });
  expect("model.ffn_bias", [](auto& c) {
    c.biases.qkv = true;
    c.biases.ffn = true;
  });
}

}  // namespace
}  // namespace ballast::formats
