#include "train/offline/score.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/fixture.hpp"
#include "storage/files.hpp"
#include "support/world.hpp"
#include "train/offline/evaluate.hpp"
#include "train/offline/scored_text.hpp"
#include "train/saved_teacher.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using nlohmann::json;
using test::world;

TEST(ScoreLine, IsJsonWhoseNumbersReadBack) {
  const std::vector<std::int32_t> tokens{7, 8, 9, 10};
  const std::vector<float> nll{0.1f, std::numeric_limits<float>::quiet_NaN(), 0.0f};
  EXPECT_EQ(score_line(std::nullopt, tokens, nll),
            "{\"tokens\":[7,8,9,10],\"logprobs\":[null,-0.1,null,0]}\n");
  const auto line = json::parse(score_line(3, std::span{tokens}.first(2), std::array{1e-7f / 3}));
  EXPECT_EQ(line.at("window"), 3);
  EXPECT_EQ(line.at("logprobs").at(1).get<float>(), -1e-7f / 3);
}

/// A model of bytes that was trained for a step.
class Score : public testing::Test {
 protected:
  [[nodiscard]] std::string lines(comm::Communicator& ranks, ScoreOptions options) const {
    options.checkpoint = weights_;
    std::string text;
    score(ranks, options, [&](std::string_view line) { text += line; });
    return text;
  }
  [[nodiscard]] std::vector<json> parsed(const ScoreOptions& options) const {
    std::istringstream text{world().broadcast_text(lines(world(), options), 0, {"lines"})};
    std::vector<json> all;
    for (std::string line; std::getline(text, line);) all.push_back(json::parse(line));
    return all;
  }
  [[nodiscard]] ScoreOptions windows() const { return {.data = data_.dataset().path()}; }
  [[nodiscard]] ExitCode refusal(const ScoreOptions& options) const {
    try {
      (void)lines(world(), options);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::ok;
  }

  SmallDataset data_{data::SplitRule::tail};
  checkpoint::SharedFolder folder_{world()};
  std::filesystem::path weights_ =
      save_teacher(folder_.path(), student_config(fsdp::Backend::region), data_.dataset());
};

TEST_F(Score, WindowsComeInOrderAndMeanTheLossOfAnEvaluation) {
  const auto all = parsed(windows());
  const auto& dataset = data_.dataset();
  ASSERT_EQ(all.size(), dataset.windows(data::Split::validation, 24));
  std::vector<std::int32_t> text(dataset.token_count(data::Split::validation));
  dataset.read_tokens(data::Split::validation, 0, text);
  double sum = 0.0;
  std::size_t labels = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].at("window"), i);
    const auto tokens = all[i].at("tokens").get<std::vector<std::int32_t>>();
    ASSERT_EQ(tokens.size(), std::min<std::size_t>(25, text.size() - i * 24));
    EXPECT_TRUE(std::equal(tokens.begin(), tokens.end(),
                           text.begin() + static_cast<std::ptrdiff_t>(24 * i)))
        << i;
    const auto& logprobs = all[i].at("logprobs");
    ASSERT_EQ(logprobs.size(), tokens.size());
    EXPECT_TRUE(logprobs.at(0).is_null());
    for (std::size_t t = 1; t < logprobs.size(); ++t) sum -= logprobs.at(t).get<float>();
    labels += logprobs.size() - 1;
  }
  const auto expected = evaluate(world(), {weights_, dataset.path()}).held_out.loss;
  EXPECT_NEAR(sum / static_cast<double>(labels), expected, 1e-12);
}

TEST_F(Score, ManyRanksWriteTheBytesOfOne) {
  auto alone = world().split(world().rank());
  ScoreOptions few = windows();
  few.micro_batch = 3;
  const std::string expected = lines(alone, windows());
  EXPECT_FALSE(expected.empty());
  for (const ScoreOptions& options : {windows(), few}) {
    const std::string found = lines(world(), options);
    EXPECT_EQ(found, world().is_root() ? expected : "");
  }
}

TEST_F(Score, ATextHasTheNumbersOfAWindowWithTheSameTokens) {
  auto window = parsed(windows()).at(1);
  const auto tokens = window.at("tokens").get<std::vector<std::int32_t>>();
  window.erase("window");
  EXPECT_EQ(parsed({.tokens = tokens}), std::vector{window});
  EXPECT_EQ(parsed({.prompt = {tokens.begin(), tokens.end()}}), std::vector{window});
  const std::vector first{tokens.front()};
  EXPECT_EQ(parsed({.tokens = first}),
            std::vector{json::parse("{\"tokens\":[" + std::to_string(first[0]) +
                                    "],\"logprobs\":[null]}")});
}

TEST_F(Score, TheTrainingSplitComesAsItLiesInTheDataset) {
  ScoreOptions options = windows();
  options.split = data::Split::train;
  options.seq_len = 2000;
  const auto all = parsed(options);
  EXPECT_EQ(all.size(), data_.dataset().windows(data::Split::train, 2000));
  std::vector<std::int32_t> text(2001);
  data_.dataset().read_tokens(data::Split::train, 2000, text);
  EXPECT_EQ(all.at(1).at("tokens").get<std::vector<std::int32_t>>(), text);
}

/// Its numbers are those of another implementation (tests/fixtures/README.md).
TEST(ScoreOfAFolder, IsWhatItsTokensCost) {
  for (const char* name : {"llama", "qwen3"}) {
    const std::string folder = std::string{BALLAST_FIXTURES "/models/"} + name;
    const json expected = json::parse(storage::read_text(folder + "/expected.json"));
    const auto tokens = expected.at("tokens").get<std::vector<std::int32_t>>();
    std::string text;
    score(world(), {.checkpoint = folder, .tokens = tokens},
          [&](std::string_view line) { text += line; });
    if (!world().is_root()) continue;
    const json line = json::parse(text);
    EXPECT_EQ(line.at("tokens"), expected.at("tokens"));
    double sum = 0.0;
    for (std::size_t t = 1; t < tokens.size(); ++t) sum -= line.at("logprobs").at(t).get<float>();
    const double mean = sum / static_cast<double>(tokens.size() - 1);
    EXPECT_NEAR(mean, expected.at("mean_loss_of_next_tokens").get<double>(), 1e-5) << name;
  }
}

TEST_F(Score, WhatTheModelDoesNotKnowIsRefused) {
  EXPECT_EQ(refusal({.tokens = {1, 259}}), ExitCode::usage);
  EXPECT_EQ(refusal({.data = "there-is-no-such.h5"}), ExitCode::data);
}

TEST_F(Score, AnOutputThatFailsEndsAllRanks) {
  ScoreOptions options = windows();
  options.checkpoint = weights_;
  const auto fail = [](std::string_view) { throw data_error("the disk is full"); };
  EXPECT_THROW(score(world(), options, fail), Error);
}

}  // namespace
}  // namespace ballast::train
