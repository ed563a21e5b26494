#include "kernels/bias.hpp"

#include <gtest/gtest.h>
#include <utility>

#include "base/error.hpp"
#include "kernels/typed.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

class Bias : public testing::TestWithParam<std::pair<std::size_t, std::size_t>> {
 protected:
  std::size_t rows = GetParam().first;
  std::size_t width = GetParam().second;
  std::vector<float> x = random_values(1, rows* width);
  std::vector<float> bias = random_values(2, width, 3.0);
  std::vector<float> sums = not_numbers(column_sums_numel(rows, width));
};

TEST_P(Bias, IsAddedToEveryRowAndRounded) {
  for (const ElementType type : kEveryType) {
    Typed sum{x, type};
    auto expected = sum.values();
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += bias[i % width];
    add_bias(rows, width, bias, sum);
    EXPECT_EQ(sum.values(), rounded_values(expected, type)) << name_of(type);
  }
}

TEST_P(Bias, GradientAgreesWithTheReference) {
  for (const ElementType type : kEveryType) {
    const Typed dy{x, type};
    auto expected = reference::bias_backward<double>(width, as_double(dy.values()));
    auto dbias = not_numbers(width);
    bias_gradient(rows, width, dy, {dbias, Store::overwrite, sums});
    EXPECT_LE(relative_error(dbias, expected), 2e-6) << name_of(type);
    dbias = bias;
    bias_gradient(rows, width, dy, {dbias, Store::add, sums});
    for (std::size_t c = 0; c < width; ++c) expected[c] += static_cast<double>(bias[c]);
    EXPECT_LE(relative_error(dbias, expected), 2e-6) << name_of(type);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Bias,
                         testing::Values(std::pair{1, 1}, std::pair{5, 7}, std::pair{16, 16},
                                         std::pair{17, 33}, std::pair{531, 24}, std::pair{0, 8},
                                         std::pair{1, 1000}));

/// Parts depend on the rows alone: at most 32, of at least 16 rows.
TEST(BiasScratch, HasASumForEachPartOfTheRows) {
  EXPECT_EQ(column_sums_numel(0, 3), 0u);
  EXPECT_EQ(column_sums_numel(16, 3), 3u);
  EXPECT_EQ(column_sums_numel(17, 3), 6u);
  EXPECT_EQ(column_sums_numel(100000, 3), 96u);
}

TEST(BiasScratch, TooLittleIsRefused) {
  const Typed dy{random_values(1, 100), ElementType::fp32};
  std::vector<float> dbias(2);
  std::vector<float> sums(column_sums_numel(50, 2) - 1);
  EXPECT_THROW(bias_gradient(50, 2, dy, {dbias, Store::overwrite, sums}), Error);
}

TEST(BiasScratch, NoGradientWantedNeedsNone) {
  const Typed dy{random_values(1, 100), ElementType::fp32};
  EXPECT_NO_THROW(bias_gradient(50, 2, dy, {{}, Store::overwrite, {}}));
}

}  // namespace
}  // namespace ballast::kernels
