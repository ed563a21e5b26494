#include "monitor/alerts/detectors.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>

namespace ballast::monitor {
namespace {

/// A calm run: loss and gradient norm tremble a little.
StepFacts calm(std::uint64_t step) {
  const double tremble = 0.01 * static_cast<double>(step % 7);
  return {.step = step, .loss = 2.0 + tremble, .grad_norm = 0.5 + tremble, .lr = 1e-3};
}

/// Detectors that have seen `steps` calm steps, and had nothing to say.
Detectors after_calm(std::uint64_t steps) {
  Detectors detectors{10};
  for (std::uint64_t step = 1; step <= steps; ++step) {
    EXPECT_TRUE(detectors.after_step(calm(step)).empty()) << step;
  }
  return detectors;
}

TEST(Detectors, SeeBurstsOfLossAndGradientNorm) {
  Detectors detectors = after_calm(80);
  StepFacts facts = calm(81);
  facts.loss = 3.0;
  facts.grad_norm = 5.0;
  const auto alerts = detectors.after_step(facts);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].kind, AlertKind::gradient_norm);
  EXPECT_EQ(alerts[1].kind, AlertKind::loss);
  EXPECT_NE(alerts[1].message.find("0.97 nats above"), std::string::npos) << alerts[1].message;
}

TEST(Detectors, DoNotCallWhispersBursts) {
  Detectors detectors = after_calm(80);
  StepFacts facts = calm(81);
  facts.loss = 2.4;
  facts.grad_norm = 1.3;
  EXPECT_TRUE(detectors.after_step(facts).empty());
}

TEST(Detectors, SeeAJumpOfTheLearningRateButNotWarmUp) {
  Detectors detectors{10};
  for (std::uint64_t step = 1; step <= 10; ++step) {
    StepFacts facts = calm(step);
    facts.lr = 1e-5 * std::pow(3.0, static_cast<double>(step));
    EXPECT_TRUE(detectors.after_step(facts).empty()) << step;
  }
  StepFacts facts = calm(11);
  facts.lr = 2.1e-5 * std::pow(3.0, 10.0);
  const auto alerts = detectors.after_step(facts);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].kind, AlertKind::learning_rate);
  EXPECT_NEAR(alerts[0].score, 2.1, 1e-9);
}

TEST(Detectors, DoNotCallAScheduleThatStartsOverAJump) {
  Detectors detectors = after_calm(20);
  StepFacts facts = calm(21);
  facts.lr = 1e-6;
  EXPECT_TRUE(detectors.after_step(facts).empty());
  facts = calm(22);
  EXPECT_TRUE(detectors.after_step(facts).empty());
}

TEST(Detectors, ExpectSkippedUpdatesWhereTheLossIsScaled) {
  Detectors detectors = after_calm(20);
  StepFacts facts = calm(21);
  facts.was_skipped = true;
  facts.is_scaled = true;
  const auto alerts = detectors.after_step(facts);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].severity, Severity::info);
}

StepFacts skipped(std::uint64_t step) {
  return {.step = step,
          .loss = std::nan(""),
          .grad_norm = std::nan(""),
          .lr = 1e-3,
          .was_skipped = true};
}

TEST(Detectors, DoNotExpectManySkippedUpdatesInARowOfAnyLoss) {
  Detectors before = after_calm(20);
  StepFacts facts = calm(21);
  const auto skip = [&](Detectors& detectors) {
    facts = skipped(facts.step + 1);
    facts.is_scaled = true;
    return detectors.after_step(facts);
  };
  EXPECT_EQ(skip(before).size(), 1u);
  EXPECT_TRUE(before.after_step(calm(++facts.step)).empty());  // not in a row
  for (std::uint64_t i = 1; i < Detectors::kManySkips - 1; ++i) EXPECT_TRUE(skip(before).empty());
  Detectors after{10};
  after.restore(before.state());
  EXPECT_TRUE(skip(after).empty());
  const auto alerts = skip(after);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].severity, Severity::critical);
  EXPECT_NE(alerts[0].message.find("10 updates in a row"), std::string::npos);
  EXPECT_TRUE(skip(after).empty());
}

TEST(Detectors, SaySkippedUpdatesOnceInAWhile) {
  Detectors detectors = after_calm(80);
  ASSERT_EQ(detectors.after_step(skipped(81)).size(), 1u);
  EXPECT_TRUE(detectors.after_step(skipped(82)).empty());
  EXPECT_EQ(detectors.after_step(skipped(81 + Detectors::kQuietSteps)).size(), 1u);
}

TEST(Detectors, SeeAttentionLogitsAndTheirGettingWorse) {
  Detectors detectors{10};
  const std::array initial{2.0, 0.5};
  const auto look = [&](std::uint64_t step, double first, double second) {
    return detectors.after_probe(step, std::array{first, second}, initial);
  };
  EXPECT_TRUE(look(20, 999.0, 12.0).empty());
  const auto large = look(25, 12.0, 1050.0);
  ASSERT_EQ(large.size(), 1u);
  EXPECT_EQ(large[0].severity, Severity::warning);
  EXPECT_EQ(large[0].layer, 1u);
  EXPECT_NE(large[0].message.find("block 1 reach 1050, 2100-fold"), std::string::npos)
      << large[0].message;
  EXPECT_TRUE(look(30, 12.0, 2000.0).empty());
  const auto saturated = look(35, 12.0, 10'500.0);
  ASSERT_EQ(saturated.size(), 1u);
  EXPECT_EQ(saturated[0].severity, Severity::critical);
  EXPECT_EQ(look(40, std::nan(""), 12.0).size(), 1u);
}

TEST(Detectors, GoOnWhereTheyWereSaved) {
  Detectors saved = after_calm(70);
  StepFacts burst = calm(71);
  burst.loss = 4.0;
  ASSERT_EQ(saved.after_step(burst).size(), 1u);
  Detectors restored{10};
  restored.restore(saved.state());
  burst.step = 72;
  EXPECT_TRUE(restored.after_step(burst).empty()) << "raised a moment ago";
  burst.step = 71 + Detectors::kQuietSteps;
  EXPECT_EQ(restored.after_step(burst).size(), 1u);
}

}  // namespace
}  // namespace ballast::monitor
