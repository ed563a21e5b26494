#include <gtest/gtest.h>

#include "formats/huggingface/configurations.hpp"

// What a file leaves out, and the ways to say one thing.
namespace ballast::formats {
namespace {

using kernels::RopeScaling;
using test::model_with;
using test::parse;
using test::small_config;
using test::text_of;
using test::without;

TEST(ParseConfig, FamiliesHaveDefaultsOfTheirOwn) {
  const auto config_of = [](const char* family) {
    auto json = small_config(family);
    json["num_attention_heads"] = 32;
    json["hidden_size"] = 256;
    return parse(without(json, "num_key_value_heads")).model;
  };
  const auto llama = config_of("llama");
  EXPECT_EQ(llama.kv_heads, 32u);
  EXPECT_EQ(llama.context, 2048u);
  EXPECT_EQ(llama.rope.base, 10000.0);
  EXPECT_EQ(llama.norm_epsilon, 1e-6f);
  EXPECT_EQ(llama.init_std, 0.02);
  EXPECT_FALSE(llama.tie_embeddings);
  EXPECT_FALSE(llama.biases.qkv || llama.biases.attention_output || llama.biases.ffn);
  const auto mistral = config_of("mistral");
  EXPECT_EQ(mistral.kv_heads, 8u);
  EXPECT_EQ(mistral.window.of(0), 4096u);
  EXPECT_EQ(mistral.context, 131072u);
  const auto qwen2 = config_of("qwen2");
  EXPECT_EQ(qwen2.kv_heads, 32u);
  EXPECT_EQ(qwen2.head_dim(), 8u);
  EXPECT_EQ(qwen2.window.tokens, 0u);
  EXPECT_TRUE(qwen2.biases.qkv);
  const auto qwen3 = config_of("qwen3");
  EXPECT_EQ(qwen3.kv_heads, 32u);
  EXPECT_EQ(qwen3.head_dim(), 128u);
  EXPECT_TRUE(qwen3.qk_norm);
  const auto smollm3 = config_of("smollm3");
  EXPECT_EQ(smollm3.kv_heads, 4u);
  EXPECT_EQ(smollm3.nope_every, 4u);
  EXPECT_EQ(smollm3.rope.base, 2000000.0);
  EXPECT_TRUE(smollm3.tie_embeddings);
}

TEST(ParseConfig, NullKeyValueHeadsAreAsManyAsHeads) {
  for (const char* family : {"llama", "mistral", "qwen2", "qwen3", "smollm3"}) {
    EXPECT_EQ(model_with(small_config(family), "num_key_value_heads", nullptr).kv_heads, 4u)
        << family;
  }
}

TEST(ParseConfig, ANullIsAsGoodAsNoKey) {
  const auto json = small_config("llama");
  for (const char* key : {"head_dim", "rope_scaling", "rope_parameters", "rope_theta",
                          "attention_bias", "mlp_bias", "hidden_act", "quantization_config",
                          "rms_norm_eps", "initializer_range", "tie_word_embeddings"}) {
    EXPECT_EQ(text_of(model_with(json, key, nullptr)), text_of(parse(json).model)) << key;
  }
}

TEST(ParseConfig, SizesMayBeWrittenAsFloats) {
  EXPECT_EQ(model_with(small_config("llama"), "hidden_size", 64.0).dim, 64u);
}

TEST(ParseConfig, BiasesFollowTheFamily) {
  const auto biases_of = [](const char* family) {
    auto json = small_config(family);
    json["attention_bias"] = json["mlp_bias"] = true;
    const auto b = parse(json).model.biases;
    return std::array{b.qkv, b.attention_output, b.ffn};
  };
  EXPECT_EQ(biases_of("llama"), (std::array{true, true, true}));
  EXPECT_EQ(biases_of("smollm3"), (std::array{true, true, true}));
  EXPECT_EQ(biases_of("qwen3"), (std::array{true, true, false}));
  EXPECT_EQ(biases_of("qwen2"), (std::array{true, false, false}));
  EXPECT_EQ(biases_of("mistral"), (std::array{false, false, false}));
}

TEST(ParseConfig, TokenIdsAreANumberAListOrNone) {
  auto json = small_config("llama");
  json["eos_token_id"] = {7, 8};
  json["bos_token_id"] = -1;
  json["pad_token_id"] = 0;
  const auto config = parse(json);
  EXPECT_EQ(config.special.eos, (std::vector<std::int32_t>{7, 8}));
  EXPECT_EQ(config.special.bos, std::nullopt);
  EXPECT_EQ(config.special.pad, 0);
  EXPECT_TRUE(parse(small_config("llama")).special.eos.empty());
}

TEST(ParseConfig, DropoutIsIgnoredAndSaidToBe) {
  auto json = small_config("llama");
  EXPECT_TRUE(parse(json).ignored.empty());
  json["attention_dropout"] = 0.0;
  EXPECT_TRUE(parse(json).ignored.empty());
  json["attention_dropout"] = 0.1;
  EXPECT_EQ(parse(json).ignored,
            std::vector<std::string>{"folder/config.json: attention_dropout = 0.1 is ignored: "
                                     "Ballast trains without dropout"});
}

TEST(ParseConfig, TheOldSpellingOfRopeGoesBeforeTheNew) {
  auto json = small_config("llama");
  json["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 500.0}};
  EXPECT_EQ(parse(json).model.rope, (kernels::RopeRule{.base = 500.0}));
  json["rope_scaling"] = Json::object();
  EXPECT_EQ(parse(json).model.rope, (kernels::RopeRule{.base = 500.0})) << "an empty one does not";
  json["rope_scaling"] = {{"type", "linear"}, {"factor", 3}};
  json["rope_theta"] = 700.0;
  const kernels::RopeRule linear{.base = 700.0, .scaling = RopeScaling::linear, .factor = 3.0};
  EXPECT_EQ(parse(json).model.rope, linear);
}

TEST(ParseConfig, RopeTakesItsOriginalContextFromWhereItIs) {
  const auto original = [](const Json& beside, const Json& inside) {
    auto json = small_config("llama");
    json["max_position_embeddings"] = 4096;
    json["original_max_position_embeddings"] = beside;
    json["rope_scaling"] = {{"rope_type", "yarn"}, {"original_max_position_embeddings", inside}};
    const auto rope = parse(json).model.rope;
    EXPECT_EQ(rope.factor * static_cast<double>(rope.original_context), 4096.0);
    return rope.original_context;
  };
  EXPECT_EQ(original(1024, 512), 512u);
  EXPECT_EQ(original(1024, nullptr), 1024u);
  EXPECT_EQ(original(nullptr, nullptr), 4096u);
}

TEST(ParseConfig, YarnHasItsOwnKeys) {
  const auto yarn = [](Json more) {
    more.update({{"rope_type", "yarn"}, {"factor", 4.0}});
    return model_with(small_config("qwen3"), "rope_scaling", more).rope;
  };
  const auto plain = yarn(Json::object());
  EXPECT_EQ(plain, (kernels::RopeRule{
                       .scaling = RopeScaling::yarn, .factor = 4.0, .original_context = 32768}));
  EXPECT_EQ(yarn({{"attention_factor", 1.5}, {"mscale", 2}, {"mscale_all_dim", 1}}).magnitude, 1.5);
  EXPECT_EQ(yarn({{"mscale", 2.0}}).magnitude, 0.0) << "one alone counts for nothing";
  // Both of them: m(k) = 0.1 k ln(factor) + 1, the one over the other.
  const double expected = (0.2 * std::log(4.0) + 1.0) / (0.05 * std::log(4.0) + 1.0);
  EXPECT_NEAR(yarn({{"mscale", 2.0}, {"mscale_all_dim", 0.5}}).magnitude, expected, 1e-14);
  EXPECT_EQ(yarn({{"beta_fast", 16}, {"beta_slow", 2}}).beta_fast, 16.0);
  EXPECT_EQ(yarn({{"beta_fast", 0}, {"beta_slow", 0}}), plain) << "0 counts as absent";
  EXPECT_FALSE(yarn({{"truncate", false}}).truncate);
}

Json windows(const char* family, std::size_t tokens) {
  auto json = small_config(family);
  json["use_sliding_window"] = true;
  json["sliding_window"] = tokens;
  return json;
}

std::vector<std::size_t> windows_of(const Json& json) {
  const auto model = parse(json).model;
  std::vector<std::size_t> found;
  for (std::size_t layer = 0; layer < model.layers; ++layer) {
    found.push_back(model.window.of(layer));
  }
  return found;
}

/// One letter a layer: S slides, F sees all.
Json layer_types(std::string_view letters) {
  Json types = Json::array();
  for (const char letter : letters) {
    types.push_back(letter == 'S' ? "sliding_attention" : "full_attention");
  }
  return types;
}

using Tokens = std::vector<std::size_t>;

TEST(ParseConfig, WindowsBeginAtALayer) {
  auto json = windows("qwen3", 8);
  EXPECT_EQ(windows_of(json), Tokens(6, 0)) << "from layer 28 on, there is none";
  json["max_window_layers"] = 4;
  EXPECT_EQ(windows_of(json), (Tokens{0, 0, 0, 0, 8, 8}));
  EXPECT_EQ(windows_of(without(json, "sliding_window")), (Tokens{0, 0, 0, 0, 4096, 4096}));
  json["sliding_window"] = nullptr;
  EXPECT_EQ(windows_of(json), Tokens(6, 0));
  json["sliding_window"] = 8;
  json["use_sliding_window"] = false;
  EXPECT_EQ(windows_of(json), Tokens(6, 0));
}

TEST(ParseConfig, LayerTypesGoBeforeWhereWindowsBegin) {
  for (const std::string letters :
       {"FFFFFF", "SSSSSS", "FFFSSS", "SFSFSF", "SSSSSF", "SSFSSF", "FFFSSF", "FFSSSF", "FFFFFS"}) {
    auto json = windows("qwen2", 8);
    json["max_window_layers"] = 1;
    json["layer_types"] = layer_types(letters);
    Tokens expected;
    for (const char letter : letters) expected.push_back(letter == 'S' ? 8 : 0);
    EXPECT_EQ(windows_of(json), expected) << letters;
  }
}

TEST(ParseConfig, WindowsOfLayersThatDoNotRotate) {
  auto json = windows("smollm3", 8);
  json["no_rope_layer_interval"] = 6;
  EXPECT_EQ(windows_of(json), (Tokens{0, 0, 0, 0, 0, 8}));
  json["layer_types"] = layer_types("SSSSSF");
  EXPECT_EQ(windows_of(json), (Tokens{8, 8, 8, 8, 8, 0}));
}

TEST(ParseConfig, MistralSlidesInAllLayers) {
  auto json = small_config("mistral");
  EXPECT_EQ(windows_of(json), Tokens(6, 4096));
  json["sliding_window"] = nullptr;
  EXPECT_EQ(windows_of(json), Tokens(6, 0));
  json["sliding_window"] = 16;
  json["use_sliding_window"] = false;
  EXPECT_EQ(windows_of(json), Tokens(6, 16)) << "it has no such key";
  json["layer_types"] = layer_types("SSSSSS");
  EXPECT_EQ(windows_of(json), Tokens(6, 16));
}

TEST(ParseConfig, LayersWithoutPositions) {
  const auto nope_every = [](const char* key, Json value) {
    return model_with(small_config("smollm3"), key, std::move(value)).nope_every;
  };
  EXPECT_EQ(nope_every("no_rope_layer_interval", 3), 3u);
  EXPECT_EQ(nope_every("no_rope_layer_interval", 7), 0u) << "no layer is a seventh one";
  EXPECT_EQ(nope_every("no_rope_layers", {1, 0, 1, 0, 1, 0}), 2u);
  EXPECT_EQ(nope_every("no_rope_layers", {1, 1, 1, 1, 1, 1}), 0u);
  EXPECT_EQ(nope_every("no_rope_layers", {0, 0, 0, 0, 0, 0}), 1u);
  EXPECT_EQ(nope_every("no_rope_layers", {1, 1, 1, 1, 0, 1, 9, 9}), 5u) << "more than there are";
  EXPECT_EQ(model_with(small_config("llama"), "no_rope_layers", {0, 0}).nope_every, 0u);
}

// Lists of any length are read in time that grows with them.
TEST(ParseConfig, LongListsTakeNoLongTime) {
  constexpr std::size_t kLayers = 1 << 16;
  auto json = windows("qwen3", 8);
  json["num_hidden_layers"] = kLayers;
  json["layer_types"] = layer_types(std::string(kLayers - 1, 'S') + "F");
  EXPECT_EQ(parse(json).model.window.all_every, kLayers);
  json["layer_types"] = layer_types(std::string(kLayers / 2, 'F') + std::string(kLayers / 2, 'S'));
  EXPECT_EQ(parse(json).model.window.first_layer, kLayers / 2);
}

}  // namespace
}  // namespace ballast::formats
