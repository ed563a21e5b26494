#include "train/offline/generate.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/fixture.hpp"
#include "data/tokenizers/token_ids.hpp"
#include "storage/files.hpp"
#include "train/saved_teacher.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

std::string generated(const GenerateOptions& options) {
  std::string text;
  generate(options, [&](std::string_view piece) { text += piece; });
  return text;
}

std::string refusal(const GenerateOptions& options) {
  try {
    ADD_FAILURE() << generated(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage) << error.what();
    return error.what();
  }
  return {};
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

/// A Hugging Face folder of 64 tokens, and a copy of it with another config.json.
class GenerateFromAFolder : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::int32_t> ids(GenerateOptions options) const {
    if (options.checkpoint.empty()) options.checkpoint = folder_;
    options.rule.temperature = 0.0f;
    return data::parse_token_ids(generated(options)).value();
  }
  [[nodiscard]] std::filesystem::path with(const std::string& key, const std::string& value) const {
    const std::filesystem::path copy = temporary_ / "model";
    std::filesystem::create_directories(copy);
    std::filesystem::copy_file(folder_ / "model.safetensors", copy / "model.safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    auto config = nlohmann::json::parse(storage::read_text(folder_ / "config.json"));
    config[key] = nlohmann::json::parse(value);
    storage::write_text_atomically(copy / "config.json", config.dump());
    return copy;
  }

  std::filesystem::path folder_{BALLAST_FIXTURES "/models/llama"};
  test::TemporaryFolder temporary_;
};

TEST_F(GenerateFromAFolder, TheLikeliestTokensFollowTheIdsOfThePrompt) {
  const auto found =
      ids({.checkpoint = with("eos_token_id", "null"), .prompt_ids = {9, 8, 7}, .tokens = 6});
  ASSERT_EQ(found.size(), 9u);
  EXPECT_EQ((std::vector(found.begin(), found.begin() + 3)), (std::vector{9, 8, 7}));
  // What follows a longer prompt is what followed before.
  const auto again = ids({.checkpoint = temporary_ / "model",
                          .prompt_ids = {found.begin(), found.begin() + 5},
                          .tokens = 4});
  EXPECT_EQ(again, found);
}

TEST_F(GenerateFromAFolder, EndsAtAnyTokenThatEndsTexts) {
  const auto endless =
      ids({.checkpoint = with("eos_token_id", "null"), .prompt_ids = {9, 8, 7}, .tokens = 6});
  const std::int32_t fourth = endless.at(6);
  const auto end = std::find(endless.begin() + 3, endless.end(), fourth);
  for (const auto& eos : {fmt::format("{}", fourth), fmt::format("[63, {}]", fourth)}) {
    const auto found =
        ids({.checkpoint = with("eos_token_id", eos), .prompt_ids = {9, 8, 7}, .tokens = 6});
    EXPECT_EQ(found, std::vector(endless.begin(), end));
  }
}

TEST_F(GenerateFromAFolder, BeginsWithTheTokenThatBeginsTexts) {
  EXPECT_EQ(ids({.checkpoint = with("bos_token_id", "5"), .tokens = 1}).at(0), 5);
  expect_contains(refusal({.checkpoint = with("bos_token_id", "null")}), "--prompt-ids");
}

TEST_F(GenerateFromAFolder, LooksBackAtItsContext) {
  const auto expected =
      ids({.checkpoint = with("eos_token_id", "null"), .prompt_ids = {3}, .tokens = 12});
  const auto same =
      ids({.checkpoint = temporary_ / "model", .prompt_ids = {3}, .tokens = 12, .context = 64});
  const auto less =
      ids({.checkpoint = temporary_ / "model", .prompt_ids = {3}, .tokens = 12, .context = 2});
  EXPECT_EQ(same, expected);
  EXPECT_NE(less, expected);
}

TEST_F(GenerateFromAFolder, TextsAndForeignIdsAreRefused) {
  expect_contains(refusal({.checkpoint = folder_, .prompt = "words"}), "--prompt-ids");
  expect_contains(refusal({.checkpoint = folder_, .prompt_ids = {1, 64}}),
                  "token 64 (number 2 of 2) is not below the model's vocabulary of 64");
}

TEST(Generate, IdsAndTheirTextAreContinuedAlike) {
  SmallDataset data{data::SplitRule::tail};
  checkpoint::SharedFolder folder{test::world()};
  const auto weights =
      save_teacher(folder.path(), student_config(fsdp::Backend::region), data.dataset());
  const std::string text = generated({.checkpoint = weights, .prompt = "keel", .tokens = 20});
  EXPECT_TRUE(text.starts_with("keel"));
  EXPECT_EQ(generated({.checkpoint = weights, .prompt_ids = {'k', 'e', 'e', 'l'}, .tokens = 20}),
            text);
  // In a run directory the newest checkpoint is meant.
  EXPECT_EQ(generated({.checkpoint = folder.path(), .prompt = "keel", .tokens = 20}), text);
}

}  // namespace
}  // namespace ballast::train
