#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "formats/huggingface/generation_config.hpp"
#include "formats/huggingface/model_card.hpp"
#include "formats/huggingface/special_tokens.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::formats {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::TemporaryFolder;
using test::write_bytes;

TEST(GenerationConfig, HasOneEosOrAListAndNoKeyWithoutAnId) {
  const Json one = parse_json(generation_config_json({.bos = 1, .eos = {2}, .pad = 0}));
  EXPECT_EQ(one, (Json{{"_from_model_config", true},
                       {"bos_token_id", 1},
                       {"eos_token_id", 2},
                       {"pad_token_id", 0}}));
  const Json several = parse_json(generation_config_json({.eos = {128001, 128009}}));
  EXPECT_EQ(several.at("eos_token_id"), (Json::array({128001, 128009})));
  EXPECT_FALSE(several.contains("bos_token_id"));
  EXPECT_EQ(parse_json(generation_config_json({})).size(), 1u);
}

TEST(SpecialTokens, AreReadOfAnyModelsConfiguration) {
  const TemporaryFolder folder;
  EXPECT_FALSE(read_special_tokens(folder.path(), 9));
  write_bytes(folder / "config.json",
              R"({"model_type": "unheard-of", "bos_token_id": null, "eos_token_id": [7, 8],
                  "pad_token_id": 3})");
  const auto special = read_special_tokens(folder.path(), 9);
  ASSERT_TRUE(special);
  EXPECT_FALSE(special->bos);
  EXPECT_EQ(special->eos, (std::vector<std::int32_t>{7, 8}));
  EXPECT_EQ(special->pad, 3);

  const auto refusal = [&](std::size_t vocabulary) {
    return data_error_of([&] { (void)read_special_tokens(folder.path(), vocabulary); });
  };
  expect_contains(refusal(8), "config.json: eos_token_id = [7,8] is beyond the model's vocabulary");
  write_bytes(folder / "config.json", R"({"eos_token_id": "</s>"})");
  expect_contains(refusal(9), "config.json: eos_token_id");
  write_bytes(folder / "config.json", "{");
  expect_contains(refusal(9), "config.json");
}

TEST(SpecialTokens, OfAGenerationConfigAreTheModels) {
  const TemporaryFolder folder;
  write_bytes(folder / "generation_config.json", R"({"bos_token_id": 1, "eos_token_id": [2, 64]})");
  EXPECT_EQ(checked_tokenizer_files(folder.path(), 65).size(), 1u);
  expect_contains(data_error_of([&] { (void)checked_tokenizer_files(folder.path(), 64); }),
                  "generation_config.json: eos_token_id = [2,64] is beyond the model's vocabulary "
                  "of 64");
}

TEST(ModelCard, HasAHeadAndATableThatNoValueBreaks) {
  const std::string text =
      model_card_text({.title = "first",
                       .model_type = "llama",
                       .about = "About it.",
                       .facts = {{"dataset", "a|b\n---\n<b>.h5"}, {"steps", "1,000"}}});
  EXPECT_EQ(text.find("---\nlibrary_name: transformers\n"), 0u) << text;
  expect_contains(text, "\n- llama\n---\n\n# first\n\nAbout it.\n");
  expect_contains(text, "\n| dataset | a\\|b\\n---\\n\\<b>.h5 |\n| steps | 1,000 |\n");
}

}  // namespace
}  // namespace ballast::formats
