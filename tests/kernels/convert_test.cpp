#include "kernels/convert.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernels/values.hpp"

namespace ballast::kernels {
namespace {

constexpr std::size_t kPatterns = 65536;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// What IEEE 754 says of a format with `mantissa` bits after the point and `exponent` bits.
struct Format {
  ElementType type;
  int mantissa;
  int smallest_exponent;
  double overflow;  ///< the first magnitude that becomes infinity
};
constexpr Format kBf16{ElementType::bf16, 7, -126, 0x1.FFp127};
constexpr Format kFp16{ElementType::fp16, 10, -14, 65520.0};

Elements elements(std::vector<std::uint16_t>& halves, ElementType type) {
  return {reinterpret_cast<std::byte*>(halves.data()), halves.size(), type};
}

std::vector<std::uint16_t> narrowed(const std::vector<float>& values, ElementType type) {
  std::vector<std::uint16_t> halves(values.size());
  narrow(values, elements(halves, type));
  return halves;
}

std::vector<float> widened(std::vector<std::uint16_t> halves, ElementType type) {
  std::vector<float> values(halves.size());
  widen(elements(halves, type), values);
  return values;
}

/// x to the nearest number of the format, ties to even, in double: exact, as the scaled mantissa
/// has few bits.
double rounded(double x, const Format& format) {
  if (x == 0.0 || std::isinf(x)) return x;
  if (std::abs(x) >= format.overflow) return std::copysign(kInfinity, x);
  const int exponent = std::max(std::ilogb(x), format.smallest_exponent);
  const double unit = std::ldexp(1.0, exponent - format.mantissa);
  return std::nearbyint(x / unit) * unit;
}

std::vector<std::uint16_t> every_pattern() {
  std::vector<std::uint16_t> halves(kPatterns);
  for (std::size_t i = 0; i < kPatterns; ++i) halves[i] = static_cast<std::uint16_t>(i);
  return halves;
}

/// The value of a pattern by its definition.
double value_of(std::uint16_t pattern, const Format& format) {
  const unsigned mantissa = pattern & ((1u << format.mantissa) - 1u);
  const unsigned exponent = (pattern & 0x7FFFu) >> format.mantissa;
  const bool special = exponent == (0x7FFFu >> format.mantissa);
  const double sign = pattern >> 15 ? -1.0 : 1.0;
  if (special) return mantissa == 0 ? sign * static_cast<double>(kInfinity) : std::nan("");
  const double significand = exponent == 0 ? mantissa : mantissa + (1u << format.mantissa);
  const int power = static_cast<int>(exponent == 0 ? 1 : exponent) - 1 + format.smallest_exponent;
  return sign * std::ldexp(significand, power - format.mantissa);
}

class Halves : public testing::TestWithParam<Format> {};

TEST_P(Halves, EveryPatternHasItsValueAndComesBack) {
  const Format format = GetParam();
  const auto halves = every_pattern();
  const auto values = widened(halves, format.type);
  const auto back = narrowed(values, format.type);
  for (std::size_t i = 0; i < kPatterns; ++i) {
    const double expected = value_of(halves[i], format);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(values[i])) << i;
      ASSERT_TRUE(std::isnan(value_of(back[i], format))) << i;
    } else {
      ASSERT_EQ(static_cast<double>(values[i]), expected) << i;
      ASSERT_EQ(back[i], halves[i]) << i;
    }
  }
}

TEST_P(Halves, RoundToNearestWithTiesToEvenAroundEveryNumber) {
  const Format format = GetParam();
  std::vector<float> values;
  const auto numbers = widened(every_pattern(), format.type);
  for (std::size_t i = 0; i + 1 < kPatterns; ++i) {
    if (!std::isfinite(numbers[i]) || !std::isfinite(numbers[i + 1])) continue;
    const float middle = numbers[i] + (numbers[i + 1] - numbers[i]) / 2.0f;
    for (const float x : {middle, std::nextafter(middle, kInfinity),
                          std::nextafter(middle, -kInfinity), std::nextafter(numbers[i], 0.0f)}) {
      values.push_back(x);
    }
  }
  for (const float edge : {static_cast<float>(format.overflow), 0.0f, -0.0f, 0x1p-149f, 0x1p-25f,
                           std::nextafter(0x1p-25f, 1.0f), 3e38f, kInfinity}) {
    for (const float x : {edge, std::nextafter(edge, 0.0f), -edge, -std::nextafter(edge, 0.0f)}) {
      values.push_back(x);
    }
  }
  const auto halves = narrowed(values, format.type);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double actual = value_of(halves[i], format);
    ASSERT_EQ(actual, rounded(static_cast<double>(values[i]), format)) << values[i];
    ASSERT_EQ(std::signbit(actual), std::signbit(values[i])) << values[i];
  }
}

TEST_P(Halves, EveryKindOfNanStaysOne) {
  const Format format = GetParam();
  std::vector<float> values;
  for (const std::uint32_t bits : {0x7F800001u, 0x7FFFFFFFu, 0xFF800001u, 0xFFFFFFFFu, 0x7FC00000u,
                                   0x7F80FFFFu, 0x7FFF8000u}) {
    values.push_back(std::bit_cast<float>(bits));
  }
  for (const std::uint16_t half : narrowed(values, format.type)) {
    EXPECT_TRUE(std::isnan(value_of(half, format))) << half;
  }
}

TEST_P(Halves, AnySizeIsConvertedAndNothingBehindIt) {
  const Format format = GetParam();
  for (const std::size_t count : {0u, 1u, 7u, 15u, 16u, 17u, 33u, 1000u}) {
    const auto values = random_values(1, count + 1);
    const auto all = narrowed(values, format.type);
    std::vector<std::uint16_t> halves(count + 1, 0xABCD);
    narrow(std::span{values}.first(count), elements(halves, format.type).first(count));
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(halves[i], all[i]);
    EXPECT_EQ(halves[count], 0xABCD);
    std::vector<float> back(count + 1, -3.0f);
    widen(elements(halves, format.type).first(count), std::span{back}.first(count));
    const auto wide = widened(all, format.type);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(back[i], wide[i]);
    EXPECT_EQ(back[count], -3.0f);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Halves, testing::Values(kBf16, kFp16), [](const auto& format) {
  return std::string{name_of(format.param.type)};
});

TEST(Convert, Fp32IsCopiedOrLeftInPlace) {
  auto values = random_values(1, 33);
  const auto before = values;
  std::vector<float> out(33);
  narrow(values, std::span{out});
  EXPECT_EQ(out, values);
  widen(std::span{out}, values);
  narrow(values, std::span{values});
  EXPECT_EQ(values, before);
}

/// fp32 patterns: each upper half with lower halves at and around the ties and at random, but for
/// those of infinities and NaNs.
std::vector<float> masters() {
  std::vector<float> values;
  std::uint32_t random = 1;
  for (std::uint32_t high = 0; high < kPatterns; ++high) {
    random = random * 1664525u + 1013904223u;
    for (const std::uint32_t low : {0u, 1u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu, random >> 16}) {
      const auto value = std::bit_cast<float>(high << 16 | low);
      if (std::isfinite(value)) values.push_back(value);
    }
  }
  return values;
}

TEST(Convert, SplitMastersJoinToTheSameBits) {
  const auto values = masters();
  std::vector<std::uint16_t> high(values.size());
  std::vector<std::int16_t> low(values.size());
  split_master(values, high, low);
  std::vector<float> joined(values.size());
  join_master(high, low, joined);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(joined[i]), std::bit_cast<std::uint32_t>(values[i]));
  }
}

TEST(Convert, TheUpperHalfOfAMasterIsTheNearestBf16) {
  const auto values = masters();
  std::vector<std::uint16_t> high(values.size());
  std::vector<std::int16_t> low(values.size());
  split_master(values, high, low);
  const auto nearest = narrowed(values, ElementType::bf16);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    const bool tie = (bits & 0xFFFFu) == 0x8000u;
    ASSERT_EQ(high[i], tie ? (bits >> 16) + 1 : nearest[i]) << values[i];
  }
}

TEST(Convert, NonFiniteValuesAreFoundAnywhere) {
  for (const std::size_t count : {1u, 15u, 16u, 17u, 1000u}) {
    auto values = random_values(1, count, 3e38);
    EXPECT_TRUE(all_finite(values));
    for (const float bad : {kInfinity, -kInfinity, std::nanf(""), -std::nanf("1")}) {
      for (const std::size_t at : {std::size_t{0}, count / 2, count - 1}) {
        const float before = std::exchange(values[at], bad);
        EXPECT_FALSE(all_finite(values)) << bad << " at " << at << " of " << count;
        values[at] = before;
      }
    }
  }
  EXPECT_TRUE(all_finite({}));
}

}  // namespace
}  // namespace ballast::kernels
