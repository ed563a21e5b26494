#include "kernels/norm.hpp"

#include <gtest/gtest.h>

#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

constexpr float kEpsilon = 1e-5f;

struct Case {
  NormKind kind;
  std::size_t rows;
  std::size_t dim;
};

class Norm : public testing::TestWithParam<Case> {
 protected:
  Norm() {
    for (float& value : x) value += 0.5f;  // so that LayerNorm has a mean to take away
    norm_forward(kind, dims, kEpsilon, x, gain, y, statistics);
    expected = reference::norm_backward<double>(kind, static_cast<double>(kEpsilon), as_double(x),
                                                as_double(gain), as_double(dy));
  }

  /// A vector of one element is normalised to a constant: its gradient is next to nothing, and most
  /// of that is rounding.
  [[nodiscard]] double dx_tolerance() const { return dims.dim == 1 ? 1e-3 : 2e-6; }

  NormKind kind = GetParam().kind;
  NormDims dims{GetParam().rows, GetParam().dim};
  std::vector<float> x = random_values(1, dims.rows* dims.dim, 2.0);
  std::vector<float> gain = random_values(2, dims.dim);
  std::vector<float> dy = random_values(3, x.size());
  std::vector<float> y = not_numbers(x.size());
  std::vector<float> statistics = not_numbers(2 * dims.rows);
  reference::NormGradients<double> expected;
};

TEST_P(Norm, ForwardAgreesWithTheReferenceAlsoInPlace) {
  const auto reference_y = reference::norm_forward<double>(kind, static_cast<double>(kEpsilon),
                                                           as_double(x), as_double(gain));
  EXPECT_LE(relative_error(y, reference_y), 1e-6);
  std::vector<float> in_place = x;
  norm_forward(kind, dims, kEpsilon, in_place, gain, in_place, statistics);
  EXPECT_EQ(in_place, y);
}

TEST_P(Norm, BackwardOverwrites) {
  auto dx = not_numbers(x.size());
  auto dgain = not_numbers(dims.dim);
  norm_backward(kind, dims, x, gain, statistics, dy, dx, Store::overwrite, dgain, Store::overwrite);
  EXPECT_LE(relative_error(dx, expected.dx), dx_tolerance());
  EXPECT_LE(relative_error(dgain, expected.dgain), 2e-6);

  std::vector<float> in_place = dy;
  norm_backward(kind, dims, x, gain, statistics, in_place, in_place, Store::overwrite, dgain,
                Store::overwrite);
  EXPECT_EQ(in_place, dx);
}

TEST_P(Norm, BackwardAdds) {
  const auto before = random_values(4, x.size());
  const auto before_gain = random_values(5, dims.dim);
  auto dx = before;
  auto dgain = before_gain;
  norm_backward(kind, dims, x, gain, statistics, dy, dx, Store::add, dgain, Store::add);
  for (std::size_t i = 0; i < dx.size(); ++i) expected.dx[i] += static_cast<double>(before[i]);
  for (std::size_t i = 0; i < dgain.size(); ++i) {
    expected.dgain[i] += static_cast<double>(before_gain[i]);
  }
  EXPECT_LE(relative_error(dx, expected.dx), 2e-6);
  EXPECT_LE(relative_error(dgain, expected.dgain), 2e-6);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const NormKind kind : {NormKind::rms, NormKind::layer}) {
    for (const std::size_t dim : {1u, 7u, 16u, 17u, 64u, 130u, 1000u}) {
      all.push_back({kind, 5, dim});
    }
    all.push_back({kind, 1, 33});
    all.push_back({kind, 0, 8});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Dims, Norm, testing::ValuesIn(cases()), [](const auto& test) {
  return std::string{test.param.kind == NormKind::rms ? "rms" : "layer"} + "_" +
         std::to_string(test.param.rows) + "x" + std::to_string(test.param.dim);
});

}  // namespace
}  // namespace ballast::kernels
