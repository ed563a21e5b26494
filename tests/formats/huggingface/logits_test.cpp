#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "base/json.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "kernels/cross_entropy.hpp"
#include "model/decoder.hpp"
#include "storage/files.hpp"
#include "support/production_model.hpp"

// What transformers computes with a folder, Ballast computes, too.
namespace ballast::formats {
namespace {

using test::fixture_model;
using test::ProductionModel;

/// expected.json: what transformers computed in fp32.
struct Expected {
  std::vector<std::int32_t> tokens;
  double mean_loss, gradient_norm;
  std::vector<double> logits_at_10, last_logits;
};

Expected read_expected(const std::string& model) {
  const Json json = parse_json(storage::read_text(fixture_model(model) / "expected.json"));
  return {json.at("tokens").get<std::vector<std::int32_t>>(),
          json.at("mean_loss_of_next_tokens").get<double>(),
          json.at("gradient_norm_of_that_loss").get<double>(),
          json.at("logits_at_10").get<std::vector<double>>(),
          json.at("last_logits").get<std::vector<double>>()};
}

/// The tokens as one sequence; no label follows the last of them.
reference::Batch batch_of(const std::vector<std::int32_t>& tokens) {
  reference::Batch batch;
  batch.sequences = 1;
  batch.seq_len = tokens.size();
  batch.ids = tokens;
  batch.labels.assign(tokens.begin() + 1, tokens.end());
  batch.labels.push_back(kernels::kIgnoreLabel);
  batch.segments.assign(tokens.size(), 0);
  batch.positions.resize(tokens.size());
  std::iota(batch.positions.begin(), batch.positions.end(), 0);
  return batch;
}

ProductionModel load(const std::string& model, std::size_t seq_len) {
  const auto folder = fixture_model(model);
  const auto config = read_huggingface_config(folder).model;
  return ProductionModel{
      config, {1, seq_len}, {}, test::read_weights(model::ParameterTable{config}, folder)};
}

double norm_of(const reference::Parameters<double>& gradients) {
  double squares = 0.0;
  for (const auto& [name, gradient] : gradients) {
    for (const double g : gradient) squares += g * g;
  }
  return std::sqrt(squares);
}

void expect_logits(std::span<const float> logits, const std::vector<double>& expected) {
  ASSERT_EQ(logits.size(), expected.size());
  double largest = 0.0;
  for (const double logit : expected) largest = std::max(largest, std::abs(logit));
  for (std::size_t v = 0; v < expected.size(); ++v) {
    EXPECT_NEAR(logits[v], expected[v], 1e-4 * largest) << "token " << v;
  }
}

class LogitsOf : public testing::TestWithParam<std::string> {};

TEST_P(LogitsOf, TransformerHasTheLossAndItsGradient) {
  const Expected expected = read_expected(GetParam());
  const auto batch = batch_of(expected.tokens);
  ProductionModel model = load(GetParam(), batch.seq_len);
  const auto labels = static_cast<float>(batch.seq_len - 1);

  const model::LossSums sums = model.forward_backward(batch, 1.0f / labels);

  EXPECT_EQ(sums.labels(), 47);
  EXPECT_NEAR(sums.mean(), expected.mean_loss, 1e-5 * expected.mean_loss);
  EXPECT_NEAR(norm_of(model.gradients()), expected.gradient_norm, 1e-4 * expected.gradient_norm);
}

TEST_P(LogitsOf, DecoderHasTheLogits) {
  const Expected expected = read_expected(GetParam());
  ASSERT_EQ(expected.tokens.size(), 48u);
  ProductionModel model = load(GetParam(), expected.tokens.size());
  const auto config = read_huggingface_config(fixture_model(GetParam())).model;
  model::Decoder decoder{config, model.transformer().table(), model.parameters(), model.gemm(),
                         expected.tokens.size()};

  for (std::size_t t = 0; t <= 10; ++t) decoder.feed(expected.tokens[t]);
  expect_logits(decoder.logits(), expected.logits_at_10);
  for (std::size_t t = 11; t < 48; ++t) decoder.feed(expected.tokens[t]);
  expect_logits(decoder.logits(), expected.last_logits);
}

INSTANTIATE_TEST_SUITE_P(Models, LogitsOf, testing::ValuesIn(test::fixture_models()),
                         [](const auto& model) { return test::test_name(model.param); });

}  // namespace
}  // namespace ballast::formats
