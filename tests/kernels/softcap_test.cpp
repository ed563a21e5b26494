#include "kernels/softcap.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "kernels/typed.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

constexpr float kCap = 30.0f;

class Softcap : public testing::TestWithParam<std::size_t> {};

TEST_P(Softcap, AgreesWithTheReference) {
  for (const double range : {1.0, 60.0, 1000.0}) {
    const auto logits = random_values(1, GetParam(), range);
    const auto dcapped = random_values(2, GetParam());
    auto capped = logits;
    softcap_forward(kCap, capped);
    EXPECT_LE(relative_error(capped, reference::softcap_forward<double>(30.0, as_double(logits))),
              1e-6);
    const auto expected =
        reference::softcap_backward<double>(30.0, as_double(logits), as_double(dcapped));
    auto dlogits = dcapped;
    softcap_backward(kCap, capped, std::span{dlogits});
    // The slope is a small difference where a logit is near its cap.
    double largest = 0.0;
    for (std::size_t i = 0; i < dlogits.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(dlogits[i]) - expected[i]));
    }
    EXPECT_LE(largest, 3e-7);

    for (const ElementType type : kEveryType) {
      Typed narrow{dcapped, type};
      auto wide = narrow.values();
      softcap_backward(kCap, capped, std::span{wide});
      softcap_backward(kCap, capped, narrow);
      EXPECT_EQ(narrow.values(), rounded_values(wide, type)) << name_of(type);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Softcap, testing::Values(1, 7, 16, 17, 130, 1000));

TEST(SoftcapLimits, EndsAtTheCapWithoutASlope) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> logits{1e30f, -1e30f, kInfinity, -kInfinity};
  std::vector<float> dlogits(4, 1.0f);
  softcap_forward(kCap, logits);
  EXPECT_EQ(logits, (std::vector{kCap, -kCap, kCap, -kCap}));
  softcap_backward(kCap, logits, std::span{dlogits});
  for (const float value : dlogits) EXPECT_NEAR(value, 0.0f, 3e-7f);
}

TEST(SoftcapLimits, NaNPassesThrough) {
  std::vector<float> logits{std::numeric_limits<float>::quiet_NaN()};
  softcap_forward(kCap, logits);
  EXPECT_TRUE(std::isnan(logits[0]));
}

}  // namespace
}  // namespace ballast::kernels
