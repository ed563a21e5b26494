#include "model/decoder.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "base/error.hpp"
#include "model/sampling.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using reference::Variant;
using test::ProductionModel;

constexpr std::size_t kSeqLen = 9;

/// Logits of every position from the double reference: [seq_len, vocabulary].
std::vector<double> reference_logits(const ModelConfig& config,
                                     const reference::Parameters<double>& values,
                                     std::vector<std::int32_t> ids) {
  reference::Batch batch = reference::random_batch(config.vocabulary, 1, ids.size(), 1);
  batch.ids = std::move(ids);
  std::ranges::fill(batch.segments, 0);
  return reference::Model<double>{config, values}.logits(batch);
}

class DecodesVariant : public testing::TestWithParam<Variant> {};

TEST_P(DecodesVariant, TokenByTokenAsAllAtOnce) {
  const auto& config = GetParam().config;
  const auto values = reference::random_parameters(config, 3);
  const auto ids = reference::random_batch(config.vocabulary, 1, kSeqLen, 2).ids;
  ProductionModel production{config, {1, kSeqLen}, {.mode = Mode::evaluation}, values};
  Decoder decoder{config, production.transformer().table(), production.parameters(),
                  production.gemm(), kSeqLen};
  const auto expected = reference_logits(config, values, ids);

  for (std::size_t t = 0; t < kSeqLen; ++t) {
    decoder.feed(ids[t]);
    for (std::size_t v = 0; v < config.vocabulary; ++v) {
      EXPECT_NEAR(decoder.logits()[v], expected[t * config.vocabulary + v], 1e-4) << t << " " << v;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, DecodesVariant,
                         testing::ValuesIn(reference::chosen_variants(reference::tiny_shape(), 2)),
                         [](const auto& variant) { return variant.param.name; });

TEST(Decoder, ReadsTheLaterHalfAgainWhenTheContextIsFull) {
  const auto config = reference::tiny_shape();
  const auto values = reference::random_parameters(config, 3);
  const auto ids = reference::random_batch(config.vocabulary, 1, kSeqLen, 2).ids;
  ProductionModel production{config, {1, kSeqLen}, {.mode = Mode::evaluation}, values};
  constexpr std::size_t kContext = 6;
  Decoder decoder{config, production.transformer().table(), production.parameters(),
                  production.gemm(), kContext};
  for (std::size_t t = 0; t < 7; ++t) decoder.feed(ids[t]);

  // After six tokens the context was full: tokens 3, 4, 5 were read again, then token 6.
  const auto expected = reference_logits(config, values, {ids.begin() + 3, ids.begin() + 7});
  for (std::size_t v = 0; v < config.vocabulary; ++v) {
    EXPECT_NEAR(decoder.logits()[v], expected[3 * config.vocabulary + v], 1e-4);
  }
}

TEST(Decoder, ReadsBlocksFromAnyUnit) {
  auto config = reference::tiny_shape();
  config.layers = 3;
  const auto values = reference::random_parameters(config, 3);
  std::vector<std::vector<float>> logits;
  for (const Grouping& grouping : {Grouping{}, Grouping::blocks(3, 2), Grouping::whole()}) {
    ProductionModel production{
        config, {1, kSeqLen}, {.mode = Mode::evaluation, .grouping = grouping}, values};
    Decoder decoder{config, production.transformer().table(), production.parameters(),
                    production.gemm(), kSeqLen};
    for (const std::int32_t token : {3, 1, 4}) decoder.feed(token);
    logits.emplace_back(decoder.logits().begin(), decoder.logits().end());
  }
  EXPECT_EQ(logits[0], logits[1]);
  EXPECT_EQ(logits[0], logits[2]);
}

TEST(Decoder, RefusesATokenOutsideTheVocabulary) {
  const auto config = reference::tiny_shape();
  ProductionModel production{
      config, {1, kSeqLen}, {.mode = Mode::evaluation}, reference::random_parameters(config, 3)};
  Decoder decoder{config, production.transformer().table(), production.parameters(),
                  production.gemm(), kSeqLen};
  EXPECT_THROW(decoder.feed(static_cast<std::int32_t>(config.vocabulary)), Error);
  EXPECT_THROW(decoder.feed(-1), Error);
}

TEST(Sampling, ZeroTemperatureTakesTheLikeliest) {
  const std::vector<float> logits{0.5f, 2.0f, -1.0f, 2.0f};
  EXPECT_EQ(sample_token(logits, {.temperature = 0.0}, 1, 0), 1);
}

TEST(Sampling, FollowsTheProbabilities) {
  const std::vector<float> logits{0.0f, 1.0f, 2.0f};
  std::vector<int> counts(3);
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const auto token = sample_token(logits, {.temperature = 1.0}, 7, static_cast<unsigned>(i));
    ++counts[static_cast<std::size_t>(token)];
  }
  const double total = 1.0 + std::exp(1.0) + std::exp(2.0);
  for (std::size_t token = 0; token < 3; ++token) {
    const double p = std::exp(static_cast<double>(token)) / total;
    EXPECT_NEAR(counts[token] / static_cast<double>(kDraws), p,
                5 * std::sqrt(p * (1 - p) / kDraws));
  }
}

TEST(Sampling, TopKAndTopPCutTheTail) {
  const std::vector<float> logits{0.0f, 1.0f, 2.0f, 1.5f};
  for (unsigned i = 0; i < 500; ++i) {
    EXPECT_EQ(sample_token(logits, {.temperature = 1.0, .top_k = 1}, 7, i), 2);
    const auto two = sample_token(logits, {.temperature = 1.0, .top_k = 2}, 7, i);
    EXPECT_TRUE(two == 2 || two == 3) << two;
    // 2 and 3 together hold 0.73 of the mass, 2 alone 0.45.
    const auto nucleus = sample_token(logits, {.temperature = 1.0, .top_p = 0.6}, 7, i);
    EXPECT_TRUE(nucleus == 2 || nucleus == 3) << nucleus;
  }
}

}  // namespace
}  // namespace ballast::model
