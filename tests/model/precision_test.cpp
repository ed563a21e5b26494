#include "model/precision.hpp"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <vector>

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

/// Half the distance of neighbouring numbers, relative to them.
double unit_roundoff(const Precision& precision) {
  const auto of = [](ElementType type) {
    return type == ElementType::bf16 ? 0x1p-9 : type == ElementType::fp16 ? 0x1p-12 : 0x1p-25;
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

class NarrowVariant : public testing::TestWithParam<Variant> {};

TEST_P(NarrowVariant, GradientsAreNearThoseOfFp32AndNotTheSame) {
  const auto& config = GetParam().config;
  const auto values = reference::random_parameters(config, 3);
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 5);
  ProductionModel exact{config, kShape, {}, values};
  const double exact_loss = exact.forward_backward(batch).mean();
  const auto expected = exact.gradients();
  for (const auto& precision : every_precision()) {
    if (precision == Precision{}) continue;
    const float scale = precision.compute == ElementType::fp16 ? kLossScale : 1.0f;
    ProductionModel narrow{config, kShape, {.precision = precision}, values};
    const double loss = narrow.forward_backward(batch, scale).mean();

    const double u = unit_roundoff(precision);
    SCOPED_TRACE(text_of(precision));
    EXPECT_NE(loss, exact_loss);
    EXPECT_NEAR(loss, exact_loss, 8 * u * exact_loss);
    for (auto& [name, gradient] : narrow.gradients()) {
      auto unscaled = gradient;
      for (double& g : unscaled) g /= static_cast<double>(scale);
      const auto [relative, cosine] = distance(unscaled, expected.at(name));
      std::printf("DIST %s %s %g %g\n", text_of(precision).c_str(), name.c_str(), relative / u,
                  1 - cosine);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, NarrowVariant,
                         testing::ValuesIn(reference::pairwise_variants(odd_shape(), 3)),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace ballast::model
