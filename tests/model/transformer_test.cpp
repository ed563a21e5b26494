#include "model/transformer.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "reference/nearness.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using reference::Variant;
using test::as_model_batch;
using test::ProductionModel;

constexpr std::size_t kSequences = 3;
constexpr std::size_t kSeqLen = 7;

class EachVariant : public testing::TestWithParam<Variant> {};

TEST_P(EachVariant, LossAndGradientsMatchTheDoubleReference) {
  const auto& config = GetParam().config;
  const auto values = reference::random_parameters(config, 3);
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 5);
  const reference::Model<double> oracle{config, values};
  ProductionModel production{config, {kSequences, kSeqLen}, {}, values};

  const LossSums sums = production.forward_backward(batch);

  EXPECT_NEAR(sums.numerator().value(), oracle.loss(batch), 1e-5 * oracle.loss(batch));
  reference::expect_near(production.gradients(), oracle.gradients(batch), {1e-5, 1e-6});
}

TEST_P(EachVariant, EvaluationComputesTheBitsOfTraining) {
  const auto& config = GetParam().config;
  const auto values = reference::random_parameters(config, 4);
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 6);
  ProductionModel training{config, {kSequences, kSeqLen}, {}, values};
  ProductionModel evaluation{config, {kSequences, kSeqLen}, {.mode = Mode::evaluation}, values};
  std::vector<float> nll(kSequences * kSeqLen);

  const LossSums trained = training.forward_backward(batch);
  const LossSums evaluated =
      evaluation.transformer().forward(as_model_batch(batch), evaluation.parameters(), nll);

  EXPECT_EQ(trained.numerator().value(), evaluated.numerator().value());
  EXPECT_EQ(trained.labels(), evaluated.labels());
}

INSTANTIATE_TEST_SUITE_P(Variants, EachVariant,
                         testing::ValuesIn(reference::all_variants(reference::tiny_shape(), 2)),
                         [](const auto& variant) { return variant.param.name; });

ModelConfig tiny() { return reference::tiny_shape(); }

TEST(Transformer, GradientsAddUpOverMicroBatches) {
  const auto config = tiny();
  const auto values = reference::random_parameters(config, 7);
  const auto first = reference::random_batch(config.vocabulary, 2, kSeqLen, 8);
  const auto second = reference::random_batch(config.vocabulary, 2, kSeqLen, 9);
  const reference::Model<double> oracle{config, values};
  auto expected = oracle.gradients(first);
  for (const auto& [name, gradient] : oracle.gradients(second)) {
    for (std::size_t i = 0; i < gradient.size(); ++i) expected[name][i] += gradient[i];
  }
  ProductionModel production{config, {2, kSeqLen}, {}, values};

  production.forward_backward(first);
  production.forward_backward(second);

  reference::expect_near(production.gradients(), expected, {1e-5, 1e-6});
}

TEST(Transformer, GradientsCarryTheirScale) {
  const auto config = tiny();
  const auto values = reference::random_parameters(config, 7);
  const auto batch = reference::random_batch(config.vocabulary, 2, kSeqLen, 8);
  ProductionModel plain{config, {2, kSeqLen}, {}, values};
  ProductionModel scaled{config, {2, kSeqLen}, {}, values};

  plain.forward_backward(batch);
  scaled.forward_backward(batch, 0.25f);

  auto expected = plain.gradients();
  for (auto& [name, gradient] : expected) {
    for (double& g : gradient) g *= 0.25;
  }
  reference::expect_near(scaled.gradients(), expected, {1e-6, 1e-7});
}

/// Keeps what it sees, and adds a constant to the gradient of one block's output.
class Watcher final : public BlockObserver {
 public:
  void before_blocks(std::span<const float> residual) override { keep(residual); }
  void after_block(std::size_t, std::span<const float> residual,
                   const AttentionSignals& attention) override {
    keep(residual);
    logits.push_back(attention.largest_logit);
    log_sum_exp.emplace_back(attention.log_sum_exp.begin(), attention.log_sum_exp.end());
  }
  void add_gradient(std::size_t layer, std::span<float> gradient) override {
    if (layer != pushed_layer) return;
    for (float& g : gradient) g += push;
  }

  std::vector<std::vector<double>> stream;
  std::vector<float> logits;
  std::vector<std::vector<float>> log_sum_exp;
  std::size_t pushed_layer = 0;
  float push = 0.0f;

 private:
  void keep(std::span<const float> residual) {
    stream.emplace_back(residual.begin(), residual.end());
  }
};

TEST(Transformer, ShowsObserversTheResidualStream) {
  const auto config = tiny();
  const auto values = reference::random_parameters(config, 7);
  const auto batch = reference::random_batch(config.vocabulary, 2, kSeqLen, 8);
  const reference::Model<double> oracle{config, values};
  ProductionModel production{config, {2, kSeqLen}, {}, values};
  Watcher watcher;
  production.transformer().observe(&watcher);

  production.forward_backward(batch);

  const auto expected = oracle.residual_stream(batch);
  ASSERT_EQ(watcher.stream.size(), expected.size());
  for (std::size_t depth = 0; depth < expected.size(); ++depth) {
    reference::expect_near({{"h", watcher.stream[depth]}}, {{"h", expected[depth]}}, {1e-5, 0.0});
  }
  ASSERT_EQ(watcher.logits.size(), config.layers);
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    // log Σ exp over what a token sees lies between its largest logit and that plus log(count).
    const auto& lse = watcher.log_sum_exp[layer];
    const float largest = *std::ranges::max_element(lse);
    EXPECT_LE(watcher.logits[layer], largest + 1e-5f);
    EXPECT_GE(watcher.logits[layer] + std::log(static_cast<float>(kSeqLen)), largest - 1e-5f);
  }
}

TEST(Transformer, AnObserverMayAddAGradient) {
  // Adding c to d loss / d h is the gradient of loss + c · Σ h, which the embedding's gradient
  // shows directly when the push is at the first block of an otherwise dead loss.
  const auto config = tiny();
  const auto values = reference::random_parameters(config, 7);
  auto batch = reference::random_batch(config.vocabulary, 2, kSeqLen, 8);
  std::ranges::fill(batch.labels, kernels::kIgnoreLabel);
  ProductionModel production{config, {2, kSeqLen}, {}, values};
  Watcher watcher;
  watcher.pushed_layer = 0;
  watcher.push = 0.5f;
  production.transformer().observe(&watcher);
  production.forward_backward(batch);

  const auto sum_after_first_block = [&](reference::Parameters<double> moved) {
    const reference::Model<double> oracle{config, std::move(moved)};
    double sum = 0.0;
    const auto stream = oracle.residual_stream(batch);
    for (const double h : stream[1]) sum += 0.5 * h;
    return sum;
  };
  auto gradients = production.gradients();
  const double step = 1e-6;
  for (const char* name : {"embedding", "block.0.wv", "block.0.w_up"}) {
    auto up = values;
    auto down = values;
    const std::size_t element = name == std::string{"embedding"}
                                    ? static_cast<std::size_t>(batch.ids[0]) * config.dim + 1
                                    : 3;
    up[name][element] += step;
    down[name][element] -= step;
    const double expected = (sum_after_first_block(up) - sum_after_first_block(down)) / (2 * step);
    EXPECT_NEAR(gradients[name][element], expected, 1e-4 * (1 + std::abs(expected))) << name;
  }
  for (const double g : gradients["block.1.wq"]) EXPECT_EQ(g, 0.0);
}

TEST(Transformer, RefusesABatchOfAnotherShape) {
  const auto config = tiny();
  const auto batch = reference::random_batch(config.vocabulary, 1, kSeqLen, 8);
  ProductionModel production{config, {2, kSeqLen}, {}, reference::random_parameters(config, 7)};
  EXPECT_THROW(production.forward_backward(batch), Error);
}

}  // namespace
}  // namespace ballast::model
