#include <gtest/gtest.h>

#include "formats/huggingface/configurations.hpp"
#include "support/bytes.hpp"

namespace ballast::formats {
namespace {

using test::expect_contains;
using test::refusal;
using test::refusal_with;
using test::small_config;
using test::without;

TEST(RefusedConfig, AFamilyThatIsNotKnown) {
  const auto json = small_config("llama");
  const auto message = refusal_with(json, "model_type", "mixtral");
  expect_contains(message, "model_type = 'mixtral' is a family that Ballast does not compute");
  for (const char* known : {"llama", "mistral", "qwen2", "qwen3", "smollm3"}) {
    expect_contains(message, known);
  }
  expect_contains(refusal(without(json, "model_type").dump()), "model_type is missing");
  expect_contains(refusal_with(json, "model_type", 7), "model_type = 7 is no text");
  const auto hostile = refusal_with(json, "model_type", "\x1b[2J" + std::string(5000, 'x'));
  EXPECT_EQ(hostile.find('\x1b'), std::string::npos);
  EXPECT_LT(hostile.size(), 500u);
}

TEST(RefusedConfig, SizesThatAreMissingOrNone) {
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads", "vocab_size"}) {
    const auto json = small_config("llama");
    const std::string place = "folder/config.json: " + std::string{key};
    expect_contains(refusal(without(json, key).dump()), place + " is missing");
    expect_contains(refusal_with(json, key, nullptr), place + " is missing");
    for (const Json& value : {Json(-1), Json(2.5), Json("32"), Json(true), Json({1}), Json(1e30),
                              Json(~std::uint64_t{0}), Json((1u << 30) + 1)}) {
      expect_contains(refusal_with(json, key, value),
                      fmt::format("{} = {} is no whole number", place, value.dump()));
    }
    expect_contains(refusal_with(json, key, 0), place + " = 0 is not from 1 to");
    expect_contains(refusal_with(json, key, 1u << 30), " is not from 1 to");
  }
}

TEST(RefusedConfig, HeadsThatDoNotFit) {
  const auto json = small_config("llama");
  expect_contains(refusal_with(json, "num_key_value_heads", 3), "not divisible by model.kv_heads");
  expect_contains(refusal_with(json, "num_key_value_heads", 8), "not divisible by model.kv_heads");
  expect_contains(refusal_with(json, "num_key_value_heads", 0), "num_key_value_heads = 0 is not");
  expect_contains(refusal_with(json, "num_attention_heads", 6), "not divisible");
  expect_contains(refusal_with(json, "head_dim", 5), "is odd");
  expect_contains(refusal_with(json, "head_dim", 0), "head_dim = 0 is not from 1");
  expect_contains(refusal_with(json, "head_dim", 1u << 29), "is not from 1 to");
  // The family's own eight do not divide these four.
  expect_contains(refusal(without(small_config("mistral"), "num_key_value_heads").dump()),
                  "not divisible by model.kv_heads = 8");
}

struct Wrong {
  const char* key;
  Json value;
  const char* why;

  friend void PrintTo(const Wrong& wrong, std::ostream* out) {
    *out << wrong.key << " = " << wrong.value.dump();
  }
};

class WrongValue : public testing::TestWithParam<Wrong> {};

TEST_P(WrongValue, IsNamedWithItsKey) {
  const auto& [key, value, why] = GetParam();
  const auto message = refusal_with(small_config("llama"), key, value);
  expect_contains(message, fmt::format("folder/config.json: {}", key));
  expect_contains(message, why);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, WrongValue,
    testing::Values(
        Wrong{"quantization_config", {{"quant_method", "gptq"}}, "the weights are quantized"},
        Wrong{"hidden_act", "gelu", "= \"gelu\" is not silu"}, Wrong{"hidden_act", 1, "is no text"},
        Wrong{"partial_rotary_factor", 0.5, "= 0.5 is not 1"},
        Wrong{"rms_norm_eps", "1e-5", "is no number"},
        Wrong{"rms_norm_eps", 0, "is no number above 0 that a float holds"},
        Wrong{"rms_norm_eps", -1e-5, "is no number above 0 that a float holds"},
        Wrong{"rms_norm_eps", 1e39, "is no number above 0 that a float holds"},
        Wrong{"rms_norm_eps", 1e-50, "is no number above 0 that a float holds"},
        Wrong{"tie_word_embeddings", 1, "= 1 is neither true nor false"},
        Wrong{"attention_bias", "no", "is neither true nor false"},
        Wrong{"mlp_bias", 0, "is neither true nor false"},
        Wrong{"initializer_range", "small", "is no number"},
        Wrong{"max_position_embeddings", 1u << 31, "is no whole number from 0 to 2^30"},
        Wrong{"eos_token_id", "</s>", "is no token id"},
        Wrong{"eos_token_id", {1, nullptr}, "is no token id"},
        Wrong{"eos_token_id", {1, -1}, "is no token id"},
        Wrong{"eos_token_id", {{1}}, "is no token id"},
        Wrong{"bos_token_id", 1.5, "is no token id"},
        Wrong{"bos_token_id", 64, "= 64 is beyond the model's vocabulary of 64"},
        Wrong{"eos_token_id", {2, 1000}, "= [2,1000] is beyond the model's vocabulary of 64"},
        Wrong{"pad_token_id", 64, "= 64 is beyond the model's vocabulary of 64"},
        Wrong{"attention_dropout", "some", "is no number"},
        Wrong{"pad_token_id", 4294967296u * 2ull, "is no token id"},
        Wrong{"rope_theta", 1.0, "= 1.0 is not above 1"},
        Wrong{"rope_theta", -10000, "is not above 1"}, Wrong{"rope_theta", {10000}, "is no number"},
        Wrong{"rope_scaling", "linear", "is no JSON object"},
        Wrong{"rope_parameters", {1}, "is no JSON object"}));

class WrongRope : public testing::TestWithParam<Wrong> {};

TEST_P(WrongRope, IsNamedWithItsKey) {
  const auto& [key, value, why] = GetParam();
  for (const char* spelling : {"rope_scaling", "rope_parameters"}) {
    const auto message = refusal_with(small_config("llama"), spelling, value);
    expect_contains(message, fmt::format("folder/config.json: {}{}", spelling, key));
    expect_contains(message, why);
  }
}

Json scaled(const char* type, const Json& more) {
  Json rope{{"rope_type", type},
            {"factor", 4.0},
            {"original_max_position_embeddings", 32},
            {"low_freq_factor", 1.0},
            {"high_freq_factor", 4.0}};
  rope.update(more);
  return rope;
}

INSTANTIATE_TEST_SUITE_P(
    Keys, WrongRope,
    testing::Values(
        Wrong{".rope_type", scaled("longrope", {{"short_factor", {1.0}}}), "it knows default"},
        Wrong{".rope_type", scaled("ntk", Json::object()), "= \"ntk\" is a scaling"},
        Wrong{".type", {{"type", "su"}}, "is a scaling that Ballast does not compute"},
        Wrong{".rope_type", {{"rope_type", 3}}, "is no text"},
        Wrong{".full_attention", {{"full_attention", {{"rope_type", "default"}}}}, "some of the"},
        Wrong{".any", {{"rope_type", "default"}, {"any", Json::object()}}, "some of the layers"},
        Wrong{".partial_rotary_factor", {{"partial_rotary_factor", 0.25}}, "is not 1"},
        Wrong{".rope_theta", {{"rope_type", "default"}, {"rope_theta", 0}}, "is not above 1"},
        Wrong{".factor", {{"rope_type", "linear"}}, "is missing, which rope_type = linear needs"},
        Wrong{".factor", {{"rope_type", "dynamic"}, {"factor", nullptr}}, "is missing"},
        Wrong{".factor", scaled("llama3", {{"factor", 0}}), "= 0 is not above 0"},
        Wrong{".factor", scaled("yarn", {{"factor", -2.0}}), "= -2.0 is not above 0"},
        Wrong{".factor", scaled("yarn", {{"factor", "8"}}), "is no number"},
        Wrong{".low_freq_factor", scaled("llama3", {{"low_freq_factor", nullptr}}), "is missing"},
        Wrong{".high_freq_factor", scaled("llama3", {{"high_freq_factor", -1}}), "not above 0"},
        Wrong{".high_freq_factor", scaled("llama3", {{"high_freq_factor", 1.0}}),
              "is not above low"},
        Wrong{".original_max_position_embeddings",
              scaled("yarn", {{"original_max_position_embeddings", 0}}), "is no number of tokens"},
        Wrong{".original_max_position_embeddings",
              scaled("llama3", {{"original_max_position_embeddings", 1.5}}), "no whole number"},
        Wrong{".beta_fast", scaled("yarn", {{"beta_fast", -1}}), "is not above 0"},
        Wrong{".beta_slow", scaled("yarn", {{"beta_slow", -1}}), "is not above 0"},
        Wrong{".truncate", scaled("yarn", {{"truncate", 1}}), "is neither true nor false"},
        Wrong{".attention_factor", scaled("yarn", {{"attention_factor", 0}}), "is not above 0"},
        Wrong{".mscale", scaled("yarn", {{"mscale", -100}, {"mscale_all_dim", 1}}),
              "makes, with mscale_all_dim, no factor above 0"}));

TEST(RefusedConfig, WindowsThatFollowNoRule) {
  auto json = small_config("qwen3");
  json["use_sliding_window"] = true;
  json["sliding_window"] = 8;
  const auto with_types = [&](std::string_view letters) {
    Json types = Json::array();
    for (const char letter : letters) {
      types.push_back(letter == 'S'   ? "sliding_attention"
                      : letter == 'F' ? "full_attention"
                                      : "chunked_attention");
    }
    return refusal_with(json, "layer_types", types);
  };
  for (const char* letters : {"FSFSFS", "SSFFSS", "SFFSFF", "SSFSSS", "FSSFFS", "SFSSFS"}) {
    expect_contains(with_types(letters), "follow no rule that Ballast has");
  }
  expect_contains(with_types("SSSSS"), "does not name every layer");
  expect_contains(with_types("SSSSSSS"), "does not name every layer");
  expect_contains(with_types(""), "layer_types = [] does not name every layer");
  expect_contains(with_types("SSSSSC"), "names other kinds than");
  expect_contains(refusal_with(json, "layer_types", "sliding_attention"), "is no list");
  expect_contains(refusal_with(json, "layer_types", {1, 2}), "is no list of texts");
  expect_contains(refusal_with(json, "sliding_window", 0), "null means that there is no window");
  expect_contains(refusal_with(json, "use_sliding_window", "yes"), "is neither true nor false");
  expect_contains(refusal_with(json, "max_window_layers", -1), "is no whole number");
  json["use_sliding_window"] = false;
  expect_contains(with_types("FFFFFS"), "gives layers a window, but");
  json = small_config("mistral");
  expect_contains(with_types("SSSSSF"), "is not read by this family");
  json = small_config("smollm3");
  json["use_sliding_window"] = true;
  json["sliding_window"] = 8;
  json["no_rope_layer_interval"] = 3;
  expect_contains(refusal(json.dump()), "sliding_window = 8 is for layers that follow no rule");
}

TEST(RefusedConfig, LayersWithoutPositionsThatFollowNoRule) {
  const auto json = small_config("smollm3");
  for (const Json& layers : {Json{1, 0, 1, 1, 1, 0}, Json{0, 1, 1, 1, 1, 1}, Json{1, 1, 0, 1, 1, 1},
                             Json{1, 0, 0, 0, 0, 0}}) {
    expect_contains(refusal_with(json, "no_rope_layers", layers), "follows no rule");
  }
  expect_contains(refusal_with(json, "no_rope_layers", {1, 1}), "does not name every layer");
  expect_contains(refusal_with(json, "no_rope_layers", Json::array()), "not name every layer");
}

TEST(RefusedConfig, TextThatIsNoConfiguration) {
  expect_contains(refusal(""), "not valid JSON");
  expect_contains(refusal("[]"), "its content is no JSON object");
  expect_contains(refusal("7"), "its content is no JSON object");
  expect_contains(refusal(R"({"model_type": "llama", "model_type": "llama"})"),
                  "the key 'model_type' stands twice");
  expect_contains(refusal("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}"),
                  "more than 64 deep");
  for (const char* number : {"NaN", "Infinity", "-Infinity", "1e999", "0x10"}) {
    expect_contains(
        refusal("{\"model_type\": \"llama\", \"rms_norm_eps\": " + std::string{number} + "}"),
        "not valid JSON");
  }
}

TEST(RefusedConfig, AFileThatIsNotThere) {
  const test::TemporaryFolder folder;
  expect_contains(test::data_error_of([&] { (void)read_huggingface_config(folder.path()); }),
                  (folder / "config.json").string());
}

}  // namespace
}  // namespace ballast::formats
