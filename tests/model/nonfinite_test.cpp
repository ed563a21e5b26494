#include "model/nonfinite.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <optional>
#include <string>

#include "model/cases.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using test::ProductionModel;

constexpr BatchShape kShape{2, 7};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class NonFiniteIn : public testing::TestWithParam<Precision> {
 protected:
  /// Where a model of three blocks with one number replaced leaves the finite ones.
  [[nodiscard]] std::optional<NonFinite> found(const std::string& tensor, float value,
                                               const RecomputePolicy& recompute = {}) const {
    const auto config = odd_shape();
    ProductionModel production{config,
                               kShape,
                               {.precision = GetParam(), .recompute = recompute},
                               reference::random_parameters(config, 3)};
    auto batch = reference::random_batch(config.vocabulary, 2, 7, 5);
    batch.ids[3] = 0;
    auto& parameters = production.parameters();
    parameters.tensor(parameters.table().find(tensor))[5] = value;
    production.forward_backward(batch);
    return production.transformer().find_nonfinite();
  }
};

TEST_P(NonFiniteIn, TheForwardIsNamedWhereItArose) {
  for (const float value : {kNan, kInfinity}) {
    EXPECT_EQ(found("embedding", value), (NonFinite{"embedding", 0}));
    EXPECT_EQ(found("block.0.w_down", value), (NonFinite{"block.0", 1}));
    EXPECT_EQ(found("block.2.wo", value), (NonFinite{"block.2", 3}));
    EXPECT_EQ(found("final_norm", value), (NonFinite{"logits", 4}));
    EXPECT_EQ(found("head", value), (NonFinite{"logits", 4}));
  }
  for (const auto& policy : every_recomputation()) {
    EXPECT_EQ(found("block.1.attention_norm", kNan, policy), (NonFinite{"block.1", 2}));
  }
}

TEST_P(NonFiniteIn, NothingIsFoundWhereAllIsWell) {
  EXPECT_EQ(found("block.1.wq", 0.5f), std::nullopt);
}

TEST_P(NonFiniteIn, AGradientAloneIsNotTheForwards) {
  const auto config = odd_shape();
  ProductionModel production{
      config, kShape, {.precision = GetParam()}, reference::random_parameters(config, 3)};
  const auto batch = reference::random_batch(config.vocabulary, 2, 7, 5);
  production.forward_backward(batch, kInfinity);
  EXPECT_FALSE(std::isfinite(reference::global_norm(production.gradients())));
  EXPECT_EQ(production.transformer().find_nonfinite(), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Precisions, NonFiniteIn, testing::ValuesIn(every_precision()),
                         [](const auto& precision) {
                           return fmt::format("{}_{}", name_of(precision.param.compute),
                                              name_of(precision.param.residual));
                         });

TEST(NonFinite, AnOverflowOfFp16IsNamed) {
  const auto config = odd_shape();
  auto values = reference::random_parameters(config, 3);
  values.at("block.1.w_down")[0] = 1e5;  // beyond 65504
  const auto batch = reference::random_batch(config.vocabulary, 2, 7, 5);
  for (const ElementType compute : {ElementType::fp16, ElementType::bf16}) {
    ProductionModel production{config, kShape, {.precision = {compute, ElementType::fp32}}, values};
    production.forward_backward(batch);
    const auto found = production.transformer().find_nonfinite();
    if (compute == ElementType::fp16) {
      EXPECT_EQ(found, (NonFinite{"block.1", 2}));
    } else {
      EXPECT_EQ(found, std::nullopt);
    }
  }
}

}  // namespace
}  // namespace ballast::model
