#include "kernels/cross_entropy.hpp"

#include <gtest/gtest.h>

#include "kernels/typed.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

constexpr float kGradientScale = 0.125f;

class CrossEntropy : public testing::TestWithParam<std::size_t> {
 protected:
  std::size_t vocabulary = GetParam();
  std::vector<std::int32_t> labels{0, static_cast<std::int32_t>(vocabulary - 1), kIgnoreLabel,
                                   static_cast<std::int32_t>(vocabulary / 2)};
  std::vector<float> logits = random_values(1, labels.size() * vocabulary, 10.0);
  std::vector<float> weights{1.0f, 0.25f, 3.0f, 0.0f};
  std::vector<float> nll = not_numbers(labels.size());
  std::vector<float> log_z = not_numbers(labels.size());
};

TEST_P(CrossEntropy, LossAgreesWithTheReferenceAndLeavesTheLogits) {
  const std::vector<float> before = logits;
  cross_entropy_loss(vocabulary, labels, logits, {nll});
  const auto expected = reference::cross_entropy_nll<double>(vocabulary, labels, as_double(logits));
  EXPECT_LE(relative_error(nll, expected), 1e-6);
  EXPECT_EQ(nll[2], 0.0f);
  EXPECT_EQ(logits, before);
}

TEST_P(CrossEntropy, GradientAgreesWithTheReference) {
  for (const bool weighted : {false, true}) {
    const auto used = weighted ? std::span<const float>{weights} : std::span<const float>{};
    auto gradient = logits;
    auto loss = nll;
    auto normalizer = log_z;
    cross_entropy_loss(vocabulary, labels, logits, {nll, log_z});
    cross_entropy(vocabulary, labels, used, kGradientScale, gradient, {loss, normalizer},
                  std::span{gradient});
    EXPECT_EQ(loss, nll) << "the loss depends on which function computes it";
    EXPECT_EQ(normalizer, log_z) << "ln Z depends on which function computes it";
    const auto expected = reference::cross_entropy_backward<double>(
        vocabulary, labels, used, static_cast<double>(kGradientScale), as_double(logits));
    EXPECT_LE(relative_error(gradient, expected), 1e-6);
    for (std::size_t i = 0; i < vocabulary; ++i) ASSERT_EQ(gradient[2 * vocabulary + i], 0.0f);
  }
}

TEST_P(CrossEntropy, GradientIsRoundedToEveryType) {
  auto gradient = logits;
  cross_entropy(vocabulary, labels, weights, kGradientScale, gradient, {nll, log_z},
                std::span{gradient});
  for (const ElementType type : kEveryType) {
    auto consumed = logits;
    auto loss = not_numbers(labels.size());
    Typed rounded{logits.size(), type};
    cross_entropy(vocabulary, labels, weights, kGradientScale, consumed, {loss}, rounded);
    EXPECT_EQ(loss, nll);
    EXPECT_EQ(rounded.values(), rounded_values(gradient, type)) << name_of(type);
  }
}

TEST_P(CrossEntropy, HugeLogitsStayFinite) {
  for (float& logit : logits) logit *= 1e30f;
  cross_entropy(vocabulary, labels, {}, 1.0f, logits, {nll, log_z}, std::span{logits});
  for (const float value : logits) ASSERT_LE(std::abs(value), 1.0f);
  for (const float value : nll) ASSERT_TRUE(std::isfinite(value));
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, CrossEntropy,
                         testing::Values(1, 2, 7, 16, 17, 64, 130, 259, 5001));

}  // namespace
}  // namespace ballast::kernels
