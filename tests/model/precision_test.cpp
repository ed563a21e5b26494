#include "model/precision.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "kernels/convert.hpp"
#include "model/cases.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using reference::Variant;
using test::as_model_batch;
using test::ProductionModel;

constexpr std::size_t kSequences = 3;
constexpr std::size_t kSeqLen = 19;
constexpr BatchShape kShape{kSequences, kSeqLen};
constexpr float kLossScale = 0x1p12f;

/// Half the distance of neighboring numbers, relative to them at most.
double unit_roundoff(const Precision& precision) {
  const auto of = [](ElementType type) {
    return type == ElementType::bf16 ? 0x1p-8 : type == ElementType::fp16 ? 0x1p-11 : 0x1p-24;
  };
  return std::max(of(precision.compute), of(precision.residual));
}

struct Distance {
  double relative;  ///< ‖Δ‖ / ‖expected‖
  double cosine;
};

Distance distance(const std::vector<double>& actual, const std::vector<double>& expected) {
  double square = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    square += (actual[i] - expected[i]) * (actual[i] - expected[i]);
  }
  const double size = reference::norm2(expected);
  return {std::sqrt(square) / size,
          reference::dot(actual, expected) / (reference::norm2(actual) * size)};
}

/// The fp32 model, and the same in another precision, after one micro-batch.
struct Pair {
  Pair(const ModelConfig& config, const Precision& precision, float scale)
      : values{reference::random_parameters(config, 3)},
        batch{reference::random_batch(config.vocabulary, kSequences, kSeqLen, 5)},
        exact{config, kShape, {}, values},
        narrow{config, kShape, {.precision = precision}, values},
        exact_loss{exact.forward_backward(batch).mean()},
        narrow_loss{narrow.forward_backward(batch, scale).mean()} {}

  reference::Parameters<double> values;
  reference::Batch batch;
  ProductionModel exact;
  ProductionModel narrow;
  double exact_loss;
  double narrow_loss;
};

class EachPrecision : public testing::TestWithParam<Variant> {};

TEST_P(EachPrecision, GradientsAreNearThoseOfFp32AndNotTheSame) {
  // A gradient has passed some sixty roundings in three blocks, forward and backward, each off by
  // up to u and in no common direction: about sqrt(60) u, which norms and softmax magnify a few
  // times (12 u is the most seen here). At least the operands of its own product were rounded.
  constexpr double kMostRoundoffs = 20.0;
  // Where an activation has a kink, rounding moves a share of u of the values across it, and each
  // counts whole.
  const auto activation = activation_of(GetParam().config.activation);
  const bool has_kink = activation == kernels::Activation::relu;
  for (const auto& precision : every_precision()) {
    if (precision == Precision{}) continue;
    // A norm of small results has large gradients.
    const float fp16_scale = GetParam().config.has_output_norms() ? 0x1p6f : kLossScale;
    const float scale = precision.compute == ElementType::fp16 ? fp16_scale : 1.0f;
    const Pair pair{GetParam().config, precision, scale};
    const double u = unit_roundoff(precision);
    const double most = has_kink ? 2.5 * std::sqrt(u) : kMostRoundoffs * u;
    const double fewest_roundoffs = precision.compute == ElementType::fp32 ? 0.05 : 0.5;
    EXPECT_NE(pair.narrow_loss, pair.exact_loss);
    EXPECT_NEAR(pair.narrow_loss, pair.exact_loss, 4 * u * pair.exact_loss);
    const auto expected = pair.exact.gradients();
    for (auto [name, gradient] : pair.narrow.gradients()) {
      SCOPED_TRACE(text_of(precision) + ", " + name);
      for (double& g : gradient) g /= static_cast<double>(scale);
      const auto [relative, cosine] = distance(gradient, expected.at(name));
      EXPECT_LT(relative, most);
      EXPECT_GT(relative, fewest_roundoffs * u);
      // What such a relative difference leaves of it.
      EXPECT_GT(cosine, 1.0 - most * most / 2.0);
    }
  }
}

TEST_P(EachPrecision, EvaluationComputesTheBitsOfTraining) {
  const auto& config = GetParam().config;
  for (const auto& precision : every_precision()) {
    const Pair pair{config, precision, 1.0f};
    ProductionModel evaluation{
        config, kShape, {.mode = Mode::evaluation, .precision = precision}, pair.values};
    std::vector<float> nll(kShape.tokens());
    const LossSums sums =
        evaluation.transformer().forward(as_model_batch(pair.batch), evaluation.parameters(), nll);
    EXPECT_EQ(sums.mean(), pair.narrow_loss) << text_of(precision);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, EachPrecision,
                         testing::ValuesIn(reference::chosen_variants(odd_shape(), 3)),
                         [](const auto& variant) { return variant.param.name; });

TEST(Fp16, ALossScaleSavesSmallGradients) {
  // Gradients of a mean over many labels lie below fp16's smallest numbers.
  constexpr float kPerLabel = 0x1p-18f;
  const auto config = odd_shape();
  const auto error = [&](float scale) {
    const Pair pair{config, {ElementType::fp16, ElementType::fp32}, kPerLabel * scale};
    auto gradient = pair.narrow.gradients().at("block.0.w_gate");
    for (double& g : gradient) g /= static_cast<double>(kPerLabel * scale);
    return distance(gradient, pair.exact.gradients().at("block.0.w_gate")).relative;
  };
  EXPECT_GT(error(1.0f), 0.1);
  EXPECT_LT(error(kLossScale), 0.02);
}

TEST(Residual, IsStoredInItsTypeAndShownInFp32) {
  class Watcher final : public BlockObserver {
   public:
    void before_blocks(std::span<const float> residual) override { look(residual); }
    void after_block(std::size_t, std::span<const float> residual,
                     const AttentionSignals& attention) override {
      look(residual);
      log_sum_exps += attention.log_sum_exp.size();
    }
    void add_gradient(std::size_t, std::span<float>) override {}

    std::vector<std::size_t> not_in_bf16;  ///< elements of each stream
    std::size_t log_sum_exps = 0;

   private:
    void look(std::span<const float> residual) {
      ASSERT_EQ(residual.size(), kShape.tokens() * odd_shape().dim);
      not_in_bf16.push_back(static_cast<std::size_t>(std::ranges::count_if(
          residual, [](float x) { return (std::bit_cast<std::uint32_t>(x) & 0xFFFFu) != 0; })));
    }
  };
  const auto config = odd_shape();
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 5);
  for (const auto& precision : every_precision()) {
    SCOPED_TRACE(text_of(precision));
    ProductionModel production{
        config, kShape, {.precision = precision}, reference::random_parameters(config, 3)};
    Watcher watcher;
    production.transformer().observe(&watcher);
    production.forward_backward(batch);
    ASSERT_EQ(watcher.not_in_bf16.size(), config.layers + 1);
    EXPECT_EQ(watcher.log_sum_exps, config.layers * config.heads * kShape.tokens());
    for (std::size_t depth = 1; depth <= config.layers; ++depth) {
      if (precision.residual == ElementType::bf16) {
        EXPECT_EQ(watcher.not_in_bf16[depth], 0u);
      } else {
        EXPECT_GT(watcher.not_in_bf16[depth], kShape.tokens());
      }
    }
  }
}

TEST(WholeParameters, HandsOutTheComputeType) {
  const auto config = odd_shape();
  ProductionModel production{config,
                             kShape,
                             {.precision = {ElementType::bf16, ElementType::fp32}},
                             reference::random_parameters(config, 3)};
  auto& parameters = production.parameters();
  const ParameterLease lease{parameters, 2};
  ASSERT_EQ(lease.values().type(), ElementType::bf16);
  const auto values = parameters.values(2);
  std::vector<float> handed_out(values.size());
  kernels::widen(lease.values(), handed_out);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(handed_out[i], values[i], 0x1p-8f * std::abs(values[i]));
  }
}

}  // namespace
}  // namespace ballast::model
