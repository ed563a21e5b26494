#include "train/offline/score.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
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
  EXPECT_EQ(score_line(std::nullopt, {.tokens = tokens, .nll = nll}),
            "{\"tokens\":[7,8,9,10],\"logprobs\":[null,-0.1,null,0]}\n");
  const std::array small{1e-7f / 3};
  const auto line =
      json::parse(score_line(3, {.tokens = std::span{tokens}.first(2), .nll = small}));
  EXPECT_EQ(line.at("window"), 3);
  EXPECT_EQ(line.at("logprobs").at(1).get<float>(), -1e-7f / 3);
}

TEST(ScoreLine, TellsTheLikeliestTokensOfEachPlace) {
  const std::vector<std::int32_t> tokens{7, 8, 9};
  const std::vector<float> nll{0.5f, 2.0f};
  const std::vector<kernels::TokenLoss> likely{
      {8, 0.5f}, {1, 1.5f}, {2, 0.0f}, {3, std::numeric_limits<float>::infinity()}};
  EXPECT_EQ(score_line(std::nullopt, {tokens, nll, 2, likely}),
            "{\"tokens\":[7,8,9],\"logprobs\":[null,-0.5,-2],"
            "\"top\":[null,[[8,-0.5],[1,-1.5]],[[2,0],[3,null]]]}\n");
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
  for (const std::size_t top : {0u, 3u}) {
    ScoreOptions single = windows();
    single.top = top;
    ScoreOptions few = single;
    few.micro_batch = 3;
    const std::string expected = lines(alone, single);
    EXPECT_FALSE(expected.empty());
    for (const ScoreOptions& options : {single, few}) {
      const std::string found = lines(world(), options);
      EXPECT_EQ(found, world().is_root() ? expected : "");
    }
  }
}

/// Log-probabilities by id, of one place of a line.
std::map<std::int32_t, float> by_id(const json& place) {
  std::map<std::int32_t, float> found;
  for (const json& pair : place) found[pair.at(0).get<std::int32_t>()] = pair.at(1).get<float>();
  return found;
}

TEST_F(Score, TheLikeliestTokensAreInOrderAndHoldTheLabelsOwnNumber) {
  ScoreOptions options = windows();
  options.param = ElementType::bf16;
  const auto plain = parsed(options);
  options.top = 259;  // the whole vocabulary
  const auto all = parsed(options);
  ASSERT_EQ(all.size(), plain.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const json& logprobs = all[i].at("logprobs");
    EXPECT_EQ(logprobs, plain[i].at("logprobs"));
    const json& top = all[i].at("top");
    ASSERT_EQ(top.size(), logprobs.size());
    EXPECT_TRUE(top.at(0).is_null());
    for (std::size_t t = 1; t < top.size(); ++t) {
      const auto found = by_id(top.at(t));
      ASSERT_EQ(found.size(), 259u);
      EXPECT_EQ(found.at(all[i].at("tokens").at(t).get<std::int32_t>()),
                logprobs.at(t).get<float>());
      // Logits that differ may have one log-probability, so ids are in no order there.
      EXPECT_TRUE(std::ranges::is_sorted(top.at(t), [](const json& a, const json& b) {
        return a.at(1).get<float>() > b.at(1).get<float>();
      }));
      double sum = 0.0;
      for (const auto& [id, logprob] : found) sum += std::exp(static_cast<double>(logprob));
      EXPECT_NEAR(sum, 1.0, 1e-5);
    }
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

/// ln of the softmax of `logits`, by id.
std::vector<double> log_softmax(const std::vector<double>& logits) {
  double sum = 0.0;
  for (const double logit : logits) sum += std::exp(logit);
  std::vector<double> result;
  for (const double logit : logits) result.push_back(logit - std::log(sum));
  return result;
}

TEST(ScoreOfAFolder, HasTheLogitsOfAnotherImplementation) {
  for (const char* name : {"llama", "qwen3"}) {
    const std::string folder = std::string{BALLAST_FIXTURES "/models/"} + name;
    const json expected = json::parse(storage::read_text(folder + "/expected.json"));
    auto tokens = expected.at("tokens").get<std::vector<std::int32_t>>();
    const auto logits = log_softmax(expected.at("last_logits").get<std::vector<double>>());
    const std::size_t place = tokens.size();
    tokens.push_back(5);  // any: the place before it is looked at
    std::string text;
    score(world(), {.checkpoint = folder, .tokens = tokens, .top = 64},
          [&](std::string_view line) { text += line; });
    if (!world().is_root()) continue;
    const auto found = by_id(json::parse(text).at("top").at(place));
    ASSERT_EQ(found.size(), logits.size());
    for (const auto& [id, logprob] : found) {
      EXPECT_NEAR(logprob, logits.at(static_cast<std::size_t>(id)), 1e-5) << name << ' ' << id;
    }
  }
}

TEST_F(Score, WhatTheModelDoesNotKnowIsRefused) {
  EXPECT_EQ(refusal({.tokens = {1, 259}}), ExitCode::usage);
  EXPECT_EQ(refusal({.data = "there-is-no-such.h5"}), ExitCode::data);
  EXPECT_EQ(refusal({.tokens = {1, 2}, .top = 1000}), ExitCode::usage);
  ScoreOptions many = windows();
  many.micro_batch = 1u << 20;
  many.top = 200;
  EXPECT_EQ(refusal(many), ExitCode::usage);
}

TEST_F(Score, AnOutputThatFailsEndsAllRanks) {
  ScoreOptions options = windows();
  options.checkpoint = weights_;
  const auto fail = [](std::string_view) { throw data_error("the disk is full"); };
  EXPECT_THROW(score(world(), options, fail), Error);
}

}  // namespace
}  // namespace ballast::train
