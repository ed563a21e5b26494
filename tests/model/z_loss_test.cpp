#include "model/z_loss.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"
#include "kernels/typed.hpp"
#include "model/cross_entropy_loss.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using kernels::Typed;
using test::ProductionModel;

constexpr double kC = 0.01;
constexpr float kScale = 0.125f;

class ZLossChunk : public testing::TestWithParam<std::size_t> {
 protected:
  /// What is summed; leaves the gradient in `dlogits`, or where the logits were.
  LossSums compute(const Loss& loss, const Elements& dlogits) {
    std::vector<float> scratch(labels.size() * loss.floats_a_token());
    LossSums sums = loss.no_sums();
    loss.compute({.vocabulary = GetParam(),
                  .logits = logits,
                  .labels = labels,
                  .weights = weights,
                  .gradient_scale = kScale,
                  .dlogits = dlogits,
                  .nll = nll,
                  .scratch = scratch},
                 operations, sums);
    return sums;
  }
  [[nodiscard]] std::vector<double> expected_gradient() const {
    const auto at = as_double(given);
    auto sum = reference::cross_entropy_backward(GetParam(), labels, weights,
                                                 static_cast<double>(kScale), at);
    const auto z = reference::z_loss_backward(GetParam(), labels, weights, kC,
                                              static_cast<double>(kScale), at);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += z[i];
    return sum;
  }

  std::unique_ptr<kernels::Gemm> gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  kernels::CpuOperations operations{*gemm, ElementType::fp32};
  std::vector<std::int32_t> labels{0, static_cast<std::int32_t>(GetParam() - 1),
                                   kernels::kIgnoreLabel,
                                   static_cast<std::int32_t>(GetParam() / 2)};
  std::vector<float> weights{1.0f, -0.25f, 3.0f, 2.0f};
  std::vector<float> given = random_values(1, labels.size() * GetParam(), 10.0);
  std::vector<float> logits;
  std::vector<float> nll = not_numbers(labels.size());
};

TEST_P(ZLossChunk, GradientAgreesWithTheReferenceAndIsRoundedOnce) {
  logits = given;
  compute(ZLoss{kC}, std::span{logits});
  const auto exact = logits;
  EXPECT_LE(relative_error(exact, expected_gradient()), 1e-6);
  for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
    Typed rounded{given.size(), type};
    logits = given;
    compute(ZLoss{kC}, rounded);
    EXPECT_EQ(rounded.values(), kernels::rounded_values(exact, type)) << name_of(type);
  }
}

TEST_P(ZLossChunk, TellsItsFigureBesideThoseOfCrossEntropy) {
  logits = given;
  const LossSums plain = compute(CrossEntropyLoss{}, {});
  const auto plain_nll = nll;
  for (const bool has_gradient : {false, true}) {
    logits = given;
    const LossSums sums =
        compute(ZLoss{kC}, has_gradient ? Elements{std::span{logits}} : Elements{});
    EXPECT_EQ(nll, plain_nll);
    EXPECT_EQ(sums.mean("loss"), plain.mean("loss"));
    EXPECT_EQ(sums.mean("log_z"), plain.mean("log_z"));
    EXPECT_EQ(sums.weight(), plain.weight());
    EXPECT_EQ(sums.labels(), plain.labels());
    const double expected =
        reference::z_loss_forward(GetParam(), labels, weights, kC, as_double(given));
    EXPECT_NEAR(sums.numerator(2).value(), expected, 1e-5 * std::abs(expected));
    EXPECT_EQ(sums.other_means().back().name, "z_loss");
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, ZLossChunk, testing::Values(1, 2, 17, 259));

TEST(ZLoss, AModelsGradientsMatchTheDoubleReference) {
  const auto loss = std::make_shared<const ZLoss>(kC);
  for (const auto& variant : reference::chosen_variants(reference::tiny_shape(), 2)) {
    SCOPED_TRACE(variant.name);
    const auto& config = variant.config;
    const auto values = reference::random_parameters(config, 3);
    const auto batch = reference::random_batch(config.vocabulary, 3, 7, 5);
    ProductionModel production{config, {3, 7}, {.loss = loss}, values};
    production.forward_backward(batch);
    const auto expected = reference::Model<double>{config, values}.gradients(
        batch, [&](const std::vector<double>& logits) {
          auto d = reference::cross_entropy_backward(config.vocabulary, batch.labels, batch.weights,
                                                     1.0, logits);
          const auto z = reference::z_loss_backward(config.vocabulary, batch.labels, batch.weights,
                                                    kC, 1.0, logits);
          for (std::size_t i = 0; i < d.size(); ++i) d[i] += z[i];
          return d;
        });
    reference::expect_near(production.gradients(), expected, {1e-5, 1e-6});
  }
}

}  // namespace
}  // namespace ballast::model
