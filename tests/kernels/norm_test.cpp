#include "kernels/norm.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "kernels/typed.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

constexpr float kEpsilon = 1e-5f;

struct Case {
  NormKind kind;
  std::size_t rows;
  std::size_t dim;
  float gain_offset = 0.0f;
};

class Norm : public testing::TestWithParam<Case> {
 protected:
  Norm() {
    for (float& value : x) value += 0.5f;  // so that LayerNorm has a mean to take away
    norm_forward(rule, dims, std::span{x}, gain, std::span{y}, statistics);
    for (double& value : whole_gain) value += static_cast<double>(rule.gain_offset);
    expected = reference::norm_backward<double>(kind, static_cast<double>(kEpsilon), as_double(x),
                                                whole_gain, as_double(dy));
  }

  /// A vector of one element is normalized to a constant: its gradient is next to nothing, and most
  /// of that is rounding.
  [[nodiscard]] double dx_tolerance() const { return dims.dim == 1 ? 1e-3 : 2e-6; }

  NormKind kind = GetParam().kind;
  NormRule rule{kind, kEpsilon, GetParam().gain_offset};
  NormDims dims{GetParam().rows, GetParam().dim};
  std::vector<float> x = random_values(1, dims.rows* dims.dim, 2.0);
  std::vector<float> gain = random_values(2, dims.dim);
  std::vector<double> whole_gain = as_double(gain);
  std::vector<float> dy = random_values(3, x.size());
  std::vector<float> y = not_numbers(x.size());
  std::vector<float> statistics = not_numbers(2 * dims.rows);
  std::vector<float> sums = not_numbers(gain_scratch_numel(dims));
  reference::NormGradients<double> expected;
};

TEST_P(Norm, ForwardAgreesWithTheReferenceAlsoInPlace) {
  const auto reference_y = reference::norm_forward<double>(kind, static_cast<double>(kEpsilon),
                                                           as_double(x), whole_gain);
  EXPECT_LE(relative_error(y, reference_y), 1e-6);
  std::vector<float> in_place = x;
  norm_forward(rule, dims, std::span{in_place}, gain, std::span{in_place}, statistics);
  EXPECT_EQ(in_place, y);
}

TEST_P(Norm, BackwardOverwrites) {
  auto dx = not_numbers(x.size());
  auto dgain = not_numbers(dims.dim);
  norm_backward(rule, dims, std::span{x}, gain, statistics, dy, dx, Store::overwrite,
                {dgain, Store::overwrite, sums});
  EXPECT_LE(relative_error(dx, expected.dx), dx_tolerance());
  EXPECT_LE(relative_error(dgain, expected.dgain), 2e-6);

  std::vector<float> in_place = dy;
  norm_backward(rule, dims, std::span{x}, gain, statistics, in_place, in_place, Store::overwrite,
                {dgain, Store::overwrite, sums});
  EXPECT_EQ(in_place, dx);
}

TEST_P(Norm, BackwardAdds) {
  const auto before = random_values(4, x.size());
  const auto before_gain = random_values(5, dims.dim);
  auto dx = before;
  auto dgain = before_gain;
  norm_backward(rule, dims, std::span{x}, gain, statistics, dy, dx, Store::add,
                {dgain, Store::add, sums});
  for (std::size_t i = 0; i < dx.size(); ++i) expected.dx[i] += static_cast<double>(before[i]);
  for (std::size_t i = 0; i < dgain.size(); ++i) {
    expected.dgain[i] += static_cast<double>(before_gain[i]);
  }
  EXPECT_LE(relative_error(dx, expected.dx), 2e-6);
  EXPECT_LE(relative_error(dgain, expected.dgain), 2e-6);
}

/// A gain of 1 + w is the gain 1 + w: rounding it before or in the kernel makes no difference.
TEST_P(Norm, AnOffsetIsThatMuchMoreGain) {
  if (rule.gain_offset == 0.0f) return;
  const NormRule plain{kind, kEpsilon};
  auto sum = gain;
  for (float& value : sum) value += rule.gain_offset;
  auto expected_y = not_numbers(y.size());
  norm_forward(plain, dims, std::span{x}, sum, std::span{expected_y}, statistics);
  EXPECT_EQ(y, expected_y);
  auto dx = not_numbers(x.size()), expected_dx = dx;
  auto dgain = not_numbers(dims.dim), expected_dgain = dgain;
  norm_backward(rule, dims, std::span{x}, gain, statistics, dy, dx, Store::overwrite,
                {dgain, Store::overwrite, sums});
  norm_backward(plain, dims, std::span{x}, sum, statistics, dy, expected_dx, Store::overwrite,
                {expected_dgain, Store::overwrite, sums});
  EXPECT_EQ(dx, expected_dx);
  EXPECT_EQ(dgain, expected_dgain);
}

TEST(NormScratch, TooLittleIsRefused) {
  constexpr NormDims kDims{531, 8};
  const auto x = random_values(1, kDims.rows * kDims.dim);
  const auto gain = random_values(2, kDims.dim);
  std::vector<float> dx(x.size());
  std::vector<float> dgain(kDims.dim);
  std::vector<float> sums(gain_scratch_numel(kDims) - 1);
  EXPECT_THROW(norm_backward({NormKind::rms, kEpsilon}, kDims, std::span{x}, gain,
                             std::vector<float>(2 * kDims.rows), x, dx, Store::overwrite,
                             {dgain, Store::overwrite, sums}),
               Error);
}

// In narrow types: what the fp32 kernel makes of the widened values, rounded once.

TEST_P(Norm, ForwardReadsAndWritesEveryType) {
  for (const ElementType x_type : kEveryType) {
    const Typed stored{x, x_type};
    const auto wide = stored.values();
    norm_forward(rule, dims, std::span{wide}, gain, std::span{y}, statistics);
    for (const ElementType y_type : kEveryType) {
      SCOPED_TRACE(std::string{name_of(x_type)} + " to " + std::string{name_of(y_type)});
      Typed out{x.size(), y_type};
      auto typed_statistics = not_numbers(statistics.size());
      norm_forward(rule, dims, stored, gain, out, typed_statistics);
      EXPECT_EQ(out.values(), rounded_values(y, y_type));
      EXPECT_EQ(typed_statistics, statistics);
    }
  }
}

TEST_P(Norm, ForwardOfASumIsThatOfTheRoundedSum) {
  const auto update = random_values(6, x.size());
  for (const ElementType x_type : kEveryType) {
    for (const ElementType y_type : kEveryType) {
      SCOPED_TRACE(std::string{name_of(x_type)} + " to " + std::string{name_of(y_type)});
      Typed stream{x, x_type};
      auto wide = stream.values();
      for (std::size_t i = 0; i < wide.size(); ++i) wide[i] += update[i];
      const Typed expected_sum{wide, x_type};
      Typed expected_y{x.size(), y_type};
      norm_forward(rule, dims, expected_sum, gain, expected_y, statistics);

      Typed sum{x.size(), x_type};
      Typed out{x.size(), y_type};
      auto sum_statistics = not_numbers(statistics.size());
      norm_forward_of_sum(rule, dims, stream, update, sum, gain, out, sum_statistics);
      EXPECT_EQ(sum.values(), expected_sum.values());
      EXPECT_EQ(out.values(), expected_y.values());
      EXPECT_EQ(sum_statistics, statistics);
      norm_forward_of_sum(rule, dims, stream, update, stream, gain, out, sum_statistics);
      EXPECT_EQ(stream.values(), expected_sum.values());
    }
  }
}

TEST_P(Norm, BackwardReadsEveryTypeAndLeavesARoundedCopy) {
  const auto before = random_values(4, x.size());
  for (const ElementType x_type : kEveryType) {
    const Typed stored{x, x_type};
    const auto wide = stored.values();
    for (const Store store : {Store::overwrite, Store::add}) {
      auto dx = before;
      std::vector<float> dgain(dims.dim);
      norm_backward(rule, dims, std::span{wide}, gain, statistics, dy, dx, store,
                    {dgain, Store::overwrite, sums});
      for (const ElementType rounded_type : kEveryType) {
        SCOPED_TRACE(std::string{name_of(x_type)} + " to " + std::string{name_of(rounded_type)});
        auto typed_dx = before;
        auto typed_dgain = not_numbers(dims.dim);
        Typed rounded{x.size(), rounded_type};
        norm_backward(rule, dims, stored, gain, statistics, dy, typed_dx, store,
                      {typed_dgain, Store::overwrite, sums}, rounded);
        EXPECT_EQ(typed_dx, dx);
        EXPECT_EQ(typed_dgain, dgain);
        EXPECT_EQ(rounded.values(), rounded_values(dx, rounded_type));
      }
    }
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const NormKind kind : {NormKind::rms, NormKind::layer}) {
    for (const std::size_t dim : {1u, 7u, 16u, 17u, 64u, 130u, 1000u}) {
      all.push_back({kind, 5, dim});
    }
    all.push_back({kind, 1, 33});
    all.push_back({kind, 0, 8});
    all.push_back({kind, 531, 24});
    for (const std::size_t dim : {7u, 17u, 64u, 130u}) all.push_back({kind, 5, dim, 1.0f});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Dims, Norm, testing::ValuesIn(cases()), [](const auto& test) {
  return std::string{test.param.kind == NormKind::rms ? "rms" : "layer"} + "_" +
         std::to_string(test.param.rows) + "x" + std::to_string(test.param.dim) +
         (test.param.gain_offset == 0.0f ? "" : "_offset");
});

}  // namespace
}  // namespace ballast::kernels
