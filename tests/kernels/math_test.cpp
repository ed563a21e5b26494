#include "kernels/lanes/math.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <limits>

#include "kernels/lanes/exp.hpp"
#include "kernels/lanes/normal.hpp"
#include "kernels/lanes/tanh.hpp"

namespace ballast::kernels {
namespace {

/// Distance in units in the last place of `expected`.
double ulps(double actual, double expected) {
  if (actual == expected) return 0.0;
  const double magnitude = std::abs(expected);
  const double ulp = std::nextafter(magnitude, std::numeric_limits<double>::infinity()) - magnitude;
  return std::abs(actual - expected) / ulp;
}

/// Distance of a float from a double, in units in the last place of the float.
double float_ulps(float actual, double expected) {
  const auto rounded = static_cast<float>(std::abs(expected));
  const float ulp = std::nextafter(rounded, std::numeric_limits<float>::infinity()) - rounded;
  return std::abs(static_cast<double>(actual) - expected) / static_cast<double>(ulp);
}

TEST(ExpLane, StaysWithinTwoUnitsOverTheWholeRange) {
  constexpr float kLowest = -87.3365f;
  double worst = 0.0;
  for (std::uint32_t bits = std::bit_cast<std::uint32_t>(1e-9f);
       bits < std::bit_cast<std::uint32_t>(88.72f); bits += 997) {
    const auto magnitude = std::bit_cast<float>(bits);
    for (const float x : {magnitude, -magnitude}) {
      if (x < kLowest) continue;
      worst = std::max(worst, float_ulps(exp_lane(x), std::exp(static_cast<double>(x))));
    }
  }
  EXPECT_LE(worst, 2.0);
  EXPECT_EQ(exp_lane(0.0f), 1.0f);
  EXPECT_LE(float_ulps(exp_lane(kLowest), std::exp(static_cast<double>(kLowest))), 2.0);
  EXPECT_LE(float_ulps(exp_lane(88.7228f), std::exp(static_cast<double>(88.7228f))), 2.0);
}

TEST(ExpLane, EndsInZeroInfinityAndNaN) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float x : {-88.0f, -104.0f, -1e6f, -3e38f, -kInfinity}) EXPECT_EQ(exp_lane(x), 0.0f);
  for (const float x : {89.0f, 1e6f, 3e38f, kInfinity}) EXPECT_EQ(exp_lane(x), kInfinity);
  EXPECT_TRUE(std::isnan(exp_lane(std::numeric_limits<float>::quiet_NaN())));
  // A NaN whose payload reaches the low bits, which the exponent arithmetic must not turn finite.
  EXPECT_TRUE(std::isnan(exp_lane(std::bit_cast<float>(0x7FFFFFFFu))));
}

/// Floats of every exponent up to `largest`, of both signs.
template <class Check>
void for_floats(float largest, const Check& check) {
  for (std::uint32_t bits = std::bit_cast<std::uint32_t>(1e-30f);
       bits < std::bit_cast<std::uint32_t>(largest); bits += 997) {
    check(std::bit_cast<float>(bits));
    check(-std::bit_cast<float>(bits));
  }
}

TEST(TanhLane, StaysWithinTwoUnitsOverTheWholeRange) {
  double worst = 0.0;
  for_floats(20.0f, [&](float x) {
    worst = std::max(
        worst, float_ulps(std::abs(tanh_lane(x)), std::tanh(static_cast<double>(std::abs(x)))));
    ASSERT_EQ(tanh_lane(-x), -tanh_lane(x));
  });
  EXPECT_LE(worst, 2.0);
}

TEST(TanhLane, EndsInOneAndNaN) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float x : {10.0f, 50.0f, 3e38f, kInfinity}) {
    EXPECT_EQ(tanh_lane(x), 1.0f);
    EXPECT_EQ(tanh_lane(-x), -1.0f);
  }
  EXPECT_EQ(tanh_lane(0.0f), 0.0f);
  EXPECT_TRUE(std::isnan(tanh_lane(std::numeric_limits<float>::quiet_NaN())));
}

TEST(TanhLane, SlopeIsThatOfTheValue) {
  EXPECT_EQ(slope_of_tanh(0.5f), 0.75f);
  for (const float t : {1.0f, -1.0f, 1.1f, -std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(slope_of_tanh(t), 0.0f);
  }
}

TEST(NormalLane, StaysWithinFourUnitsOverTheWholeRange) {
  double worst_cdf = 0.0;
  double worst_density = 0.0;
  for_floats(13.0f, [&](float x) {
    const auto wide = static_cast<double>(x);
    const Normal normal = normal_lane(x);
    const double cdf = 0.5 * std::erfc(-wide / std::sqrt(2.0));
    worst_cdf = std::max(worst_cdf, float_ulps(normal.cdf, cdf));
    const double density = std::exp(-0.5 * wide * wide) / std::sqrt(2.0 * 3.14159265358979323846);
    worst_density = std::max(worst_density, float_ulps(normal.density, density));
  });
  EXPECT_LE(worst_cdf, 4.0);
  EXPECT_LE(worst_density, 4.0);
}

TEST(NormalLane, EndsInZeroOneAndNaN) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float x : {15.0f, 40.0f, 3e38f, kInfinity}) {
    EXPECT_EQ(normal_lane(x).cdf, 1.0f);
    EXPECT_EQ(normal_lane(-x).cdf, 0.0f);
    EXPECT_EQ(normal_lane(x).density, 0.0f);
  }
  EXPECT_EQ(normal_lane(0.0f).cdf, 0.5f);
  EXPECT_TRUE(std::isnan(normal_lane(std::numeric_limits<float>::quiet_NaN()).cdf));
}

TEST(PortableMath, ExpAgreesWithLibm) {
  double worst = 0.0;
  for (int i = -700000; i <= 709000; i += 37) {
    const double x = 1e-3 * i;
    worst = std::max(worst, ulps(portable_exp(x), std::exp(x)));
  }
  EXPECT_LE(worst, 3.0);
  EXPECT_EQ(portable_exp(0.0), 1.0);
  EXPECT_EQ(portable_exp(-1000.0), 0.0);
  EXPECT_TRUE(std::isinf(portable_exp(710.0)));
  EXPECT_TRUE(std::isnan(portable_exp(std::nan(""))));
  EXPECT_NEAR(portable_exp(-740.0) / std::exp(-740.0), 1.0, 0.1);  // subnormal
}

TEST(PortableMath, LogAgreesWithLibm) {
  double worst = 0.0;
  for (double x = 1e-310; x < 1e308; x *= 1.0137) {
    worst = std::max(worst, ulps(portable_log(x), std::log(x)));
  }
  for (int i = 1; i < 40000; ++i) {
    const double x = 1e-4 * i;  // around 1, where the logarithm passes through zero
    worst = std::max(worst, ulps(portable_log(x), std::log(x)));
  }
  EXPECT_LE(worst, 3.0);
  EXPECT_EQ(portable_log(1.0), 0.0);
  EXPECT_EQ(portable_log(0.0), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isinf(portable_log(std::numeric_limits<double>::infinity())));
  EXPECT_TRUE(std::isnan(portable_log(-1.0)));
}

TEST(PortableMath, SineAndCosineAgreeWithLibmUpToAMillion) {
  double worst = 0.0;
  const auto check = [&](double x) {
    worst = std::max(worst, ulps(portable_cos(x), std::cos(x)));
    worst = std::max(worst, ulps(portable_sin(x), std::sin(x)));
  };
  for (int i = -20000; i <= 20000; ++i) check(1e-3 * i);
  for (int i = -1000000; i <= 1000000; i += 7) check(i);
  for (int i = 1; i < 600000; i += 11) check(i * 1.5707963267948966);  // where one of them is tiny
  EXPECT_LE(worst, 4.0);
  EXPECT_TRUE(std::isnan(portable_cos(std::numeric_limits<double>::infinity())));
}

TEST(PortableMath, PowerMultiplies) {
  EXPECT_EQ(portable_power(3.0, 0), 1.0);
  EXPECT_EQ(portable_power(-3.0, 5), -243.0);
  EXPECT_NEAR(portable_power(0.95, 1000) / std::pow(0.95, 1000), 1.0, 1e-13);
}

}  // namespace
}  // namespace ballast::kernels
