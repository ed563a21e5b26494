#include "kernels/elementwise.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "kernels/adamw_update.hpp"
#include "kernels/embedding.hpp"
#include "kernels/typed.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

class Loops : public testing::TestWithParam<std::size_t> {
 protected:
  std::size_t count = GetParam();
  std::vector<float> a = random_values(1, count, 3.0);
  std::vector<float> b = random_values(2, count);
  std::vector<float> c = random_values(3, count);
};

TEST_P(Loops, AddAccumulateAndScaleAlsoInPlace) {
  auto out = not_numbers(count);
  add(std::span{a}, b, std::span{out});
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(out[i], a[i] + b[i]);
  auto in_place = b;
  add(std::span{in_place}, a, std::span{in_place});
  EXPECT_EQ(in_place, out);
  in_place = b;
  accumulate(a, in_place);
  EXPECT_EQ(in_place, out);
  in_place = a;
  scale(in_place, 0.3f, in_place);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(in_place[i], a[i] * 0.3f);
}

TEST_P(Loops, SumOfSquaresIsThatOfTheLanesTree) {
  double lanes[16] = {};
  for (std::size_t i = 0; i < count; ++i) {
    lanes[i % 16] += static_cast<double>(a[i]) * static_cast<double>(a[i]);
  }
  for (const std::size_t width : {8u, 4u, 2u, 1u}) {
    for (std::size_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  EXPECT_EQ(sum_of_squares(a), lanes[0]);
  if (count == 0) return;
  a.back() = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(std::isfinite(sum_of_squares(a)));
  a.back() = -std::numeric_limits<float>::infinity();
  EXPECT_FALSE(std::isfinite(sum_of_squares(a)));
}

// In narrow types: what the fp32 kernel makes of the widened values, rounded once.

TEST_P(Loops, AddRoundsItsSum) {
  for (const ElementType type : kEveryType) {
    Typed narrow{a, type};
    auto sum = narrow.values();
    accumulate(b, sum);
    add(narrow, b, narrow);
    EXPECT_EQ(narrow.values(), rounded_values(sum, type)) << name_of(type);
  }
}

TEST_P(Loops, ScaleRoundsItsProducts) {
  for (const ElementType type : kEveryType) {
    Typed narrow{a, type};
    auto product = narrow.values();
    for (float& value : product) value *= 0.3f;
    scale(narrow, 0.3f, narrow);
    EXPECT_EQ(narrow.values(), rounded_values(product, type)) << name_of(type);
  }
}

TEST_P(Loops, EmbeddingConvertsRows) {
  const std::vector<std::int32_t> ids{3, 0, 3};
  for (const ElementType type : kEveryType) {
    for (const ElementType out_type : kEveryType) {
      const Typed table{random_values(5, 4 * count), type};
      Typed out{ids.size() * count, out_type};
      embedding_forward(count, {ids, table}, {}, out);
      const auto values = as_double(table.values());
      const auto expected = reference::embedding_forward<double>(count, ids, values);
      EXPECT_EQ(out.values(), rounded_values({expected.begin(), expected.end()}, out_type))
          << name_of(type) << " to " << name_of(out_type);
    }
  }
}

TEST_P(Loops, AdamWFollowsTheReferenceForSomeSteps) {
  const reference::AdamW options{1e-2, 0.9, 0.95, 1e-8, 0.1};
  const double factor = 0.5;
  auto weight = a;
  std::vector<float> moment1(count);
  std::vector<float> moment2(count);
  auto expected_weight = as_double(a);
  std::vector<double> expected_moment1(count);
  std::vector<double> expected_moment2(count);
  for (unsigned step = 1; step <= 5; ++step) {
    const auto gradient = random_values(10 + step, count);
    auto scaled = as_double(gradient);
    for (double& value : scaled) value *= factor;
    reference::adamw<double>(options, step, scaled, expected_weight, expected_moment1,
                             expected_moment2);
    const double bias1 = 1.0 - std::pow(options.beta1, step);
    const double bias2 = 1.0 - std::pow(options.beta2, step);
    adamw({static_cast<float>(factor), 0.9f, 0.95f, static_cast<float>(options.lr / bias1),
           static_cast<float>(1.0 / std::sqrt(bias2)), 1e-8f,
           static_cast<float>(1.0 - options.lr * options.weight_decay)},
          weight, {gradient, moment1, moment2});
  }
  EXPECT_LE(relative_error(weight, expected_weight), 1e-6);
  EXPECT_LE(relative_error(moment1, expected_moment1), 1e-6);
  EXPECT_LE(relative_error(moment2, expected_moment2), 1e-6);
}

TEST_P(Loops, EmbeddingGathersAndScattersRepeatedRows) {
  const std::vector<std::int32_t> ids{3, 0, 3, 2, 3};
  const auto table = random_values(5, 4 * count);
  const auto dout = random_values(6, ids.size() * count);
  auto out = not_numbers(ids.size() * count);
  embedding_forward(count, {ids, std::span{table}}, {}, std::span{out});
  EXPECT_EQ(as_double(out), reference::embedding_forward<double>(count, ids, as_double(table)));
  std::vector<float> dtable(4 * count);
  embedding_backward(count, ids, 1.0f, dout, dtable);
  EXPECT_LE(
      relative_error(dtable, reference::embedding_backward<double>(4, count, ids, as_double(dout))),
      1e-6);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Loops, testing::Values(0, 1, 7, 15, 16, 17, 64, 130, 1000, 1024));

}  // namespace
}  // namespace ballast::kernels
