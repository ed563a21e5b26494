#include "formats/float_codec.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "base/error.hpp"

namespace ballast::formats {
namespace {

constexpr std::array kNarrow{ElementType::bf16, ElementType::fp16};

std::uint16_t encoded(ElementType type, float value) {
  std::array<std::uint8_t, 2> bytes{};
  (void)encode(type, std::array{value}, bytes);
  return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}

TEST(FloatCodec, AllNarrowValuesComeBack) {
  for (const auto type : kNarrow) {
    for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
      const std::array bytes{static_cast<std::uint8_t>(pattern & 0xff),
                             static_cast<std::uint8_t>(pattern >> 8)};
      std::array<float, 1> value{};
      decode(type, bytes, value);
      if (std::isnan(value[0])) continue;
      ASSERT_EQ(encoded(type, value[0]), pattern) << name_of(type);
    }
  }
}

TEST(FloatCodec, KnownValuesAreExact) {
  const auto decoded = [](ElementType type, std::array<std::uint8_t, 2> bytes) {
    std::array<float, 1> value{};
    decode(type, bytes, value);
    return value[0];
  };
  EXPECT_EQ(decoded(ElementType::bf16, {0x80, 0x3f}), 1.0f);
  EXPECT_EQ(decoded(ElementType::bf16, {0x01, 0x00}), 0x1p-133f) << "subnormal";
  EXPECT_EQ(decoded(ElementType::fp16, {0x00, 0x3c}), 1.0f);
  EXPECT_EQ(decoded(ElementType::fp16, {0x01, 0x80}), -0x1p-24f) << "subnormal";
  EXPECT_EQ(decoded(ElementType::fp16, {0xff, 0x7b}), 65504.0f);
  EXPECT_TRUE(std::isinf(decoded(ElementType::fp16, {0x00, 0xfc})));
  EXPECT_TRUE(std::isnan(decoded(ElementType::fp16, {0x01, 0x7c})));
}

TEST(FloatCodec, TiesGoToEven) {
  EXPECT_EQ(encoded(ElementType::bf16, 1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(encoded(ElementType::bf16, 1.0f + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(encoded(ElementType::bf16, 1.0f + 0x1p-8f + 0x1p-20f), 0x3f81);
  EXPECT_EQ(encoded(ElementType::fp16, 1.0f + 0x1p-11f), 0x3c00);
  EXPECT_EQ(encoded(ElementType::fp16, 1.0f + 3 * 0x1p-11f), 0x3c02);
  EXPECT_EQ(encoded(ElementType::fp16, 0x1p-25f), 0x0000);
  EXPECT_EQ(encoded(ElementType::fp16, 3 * 0x1p-25f), 0x0002);
}

TEST(FloatCodec, Fp32KeepsEveryBit) {
  for (const std::uint32_t bits : {0u, 0x80000000u, 1u, 0x7f7fffffu, 0x7f800000u, 0x7fa00001u}) {
    const std::array values{std::bit_cast<float>(bits)};
    std::array<std::uint8_t, 5> bytes{};  // at an odd address, as in a file
    EXPECT_FALSE(encode(ElementType::fp32, values, std::span{bytes}.subspan(1)));
    std::array<float, 1> back{};
    decode(ElementType::fp32, std::span{bytes}.subspan(1), back);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(back[0]), bits);
  }
}

TEST(FloatCodec, TheFirstFiniteValueThatIsLostIsTold) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kLargest = std::numeric_limits<float>::max();
  const std::vector<float> values{kInfinity, kNan, 65519.0f, -kInfinity, -65520.0f, kLargest};
  std::vector<std::uint8_t> bytes(2 * values.size());
  EXPECT_EQ(encode(ElementType::fp16, values, bytes), 4u);
  EXPECT_EQ(encode(ElementType::bf16, values, bytes), 5u);
  EXPECT_FALSE(encode(ElementType::fp16, std::span{values}.first(4), std::span{bytes}.first(8)));
}

TEST(FloatCodec, SizesMustFit) {
  std::array<float, 2> values{};
  std::array<std::uint8_t, 5> bytes{};
  EXPECT_THROW(decode(ElementType::bf16, bytes, values), Error);
  EXPECT_THROW((void)encode(ElementType::fp32, values, bytes), Error);
}

}  // namespace
}  // namespace ballast::formats
