#include "formats/gguf/blocks/block_codec.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

#include "base/error.hpp"
#include "formats/gguf/blocks/block_inputs.hpp"

namespace ballast::formats {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Bytes quantized(BlockType type, std::span<const float> values) {
  Bytes bytes(stored_bytes(type, values.size()), 0xA5);
  EXPECT_EQ(quantize(type, values, bytes), std::nullopt);
  return bytes;
}

std::vector<float> dequantized(BlockType type, std::span<const std::uint8_t> bytes) {
  const BlockLayout layout = layout_of(type);
  std::vector<float> values(bytes.size() / layout.bytes * layout.values);
  dequantize(type, bytes, values);
  return values;
}

std::vector<float> steps(std::size_t count, float first, float step) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + step * static_cast<float>(i);
  return values;
}

/// Root of the mean squared error, as a part of the root mean square of the values.
double relative_error(std::span<const float> values, std::span<const float> back) {
  double error = 0.0;
  double square = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    error += (values[i] - back[i]) * (values[i] - back[i]);
    square += values[i] * values[i];
  }
  return std::sqrt(error / square);
}

TEST(BlockCodec, Q8BlocksHoldAScaleAndEightBitsAValue) {
  auto values = steps(32, -15.5f, 1.0f);
  values[31] = 127.0f;  // the scale is 1: halves are rounded away from zero
  const Bytes bytes = quantized(BlockType::q8_0, values);
  EXPECT_EQ(bytes[0], 0x00);
  EXPECT_EQ(bytes[1], 0x3C);
  EXPECT_EQ(bytes[2], static_cast<std::uint8_t>(-16));
  EXPECT_EQ(bytes[2 + 15], static_cast<std::uint8_t>(-1));
  EXPECT_EQ(bytes[2 + 16], 1);
  EXPECT_EQ(bytes[2 + 31], 127);
  EXPECT_EQ(dequantized(BlockType::q8_0, bytes)[31], 127.0f);
}

TEST(BlockCodec, Q4BlocksPairValuesSixteenApart) {
  auto values = steps(32, -8.0f, 1.0f);
  for (std::size_t i = 16; i < 32; ++i) values[i] = 7.0f - values[i - 16] - 8.0f;
  const Bytes bytes = quantized(BlockType::q4_0, values);
  EXPECT_EQ(bytes[1], 0x3C) << "the first of largest magnitude, -8, is code 0";
  for (std::size_t j = 0; j < 16; ++j) {
    EXPECT_EQ(bytes[2 + j], j | (15 - j) << 4) << j;
  }
  EXPECT_EQ(dequantized(BlockType::q4_0, bytes), values);
}

TEST(BlockCodec, TheScaleHasTheSignThatMakesTheLargestTheLowestCode) {
  auto values = steps(32, 0.0f, 0.0f);
  values[3] = 16.0f;
  values[4] = -16.0f;
  const Bytes bytes = quantized(BlockType::q5_0, values);
  EXPECT_EQ(bytes[1], 0xBC) << "-1";
  const auto back = dequantized(BlockType::q5_0, bytes);
  EXPECT_EQ(back[3], 16.0f);
  EXPECT_EQ(back[4], -15.0f) << "there is no code for it";
}

TEST(BlockCodec, FifthBitsStandApart) {
  const auto values = steps(32, -16.0f, 1.0f);
  const Bytes bytes = quantized(BlockType::q5_0, values);
  EXPECT_EQ((std::vector(bytes.begin() + 2, bytes.begin() + 6)), (Bytes{0, 0, 0xFF, 0xFF}));
  for (std::size_t j = 0; j < 16; ++j) EXPECT_EQ(bytes[6 + j], j | j << 4);
  EXPECT_EQ(dequantized(BlockType::q5_0, bytes), values);
}

TEST(BlockCodec, AffineBlocksReachFromTheSmallestToTheLargest) {
  const auto five = steps(32, 3.0f, 0.5f);
  const Bytes bytes = quantized(BlockType::q5_1, five);
  EXPECT_EQ((std::vector(bytes.begin(), bytes.begin() + 4)), (Bytes{0x00, 0x38, 0x00, 0x42}));
  EXPECT_EQ(dequantized(BlockType::q5_1, bytes), five);

  auto four = steps(32, 100.0f, 0.0f);
  for (std::size_t i = 0; i < 32; ++i) four[i] += static_cast<float>(i % 16) * 0.25f;
  EXPECT_EQ(dequantized(BlockType::q4_1, quantized(BlockType::q4_1, four)), four);
}

/// A block whose sub-block j has scale level 8j + 7 and minimum level 8j + 5, codes as they count.
std::vector<float> leveled(std::int32_t top, float unit) {
  std::vector<float> values(256);
  for (std::size_t i = 0; i < 256; ++i) {
    const std::size_t sub_block = i / 32;
    const auto level = static_cast<float>(8 * sub_block + 7);
    const auto minimum = static_cast<float>(8 * sub_block + 5);
    const auto code = static_cast<float>(i % static_cast<std::size_t>(top + 1));
    values[i] = unit * level * code - unit * minimum;
  }
  return values;
}

TEST(BlockCodec, SuperBlocksKeepValuesThatTheyCanHold) {
  // Levels reach 63 and 61; a minimum's unit of 61/63 · 2^-7 is none of fp16, and next to nothing.
  const auto four = leveled(15, 0x1p-7f);
  const auto five = leveled(31, 0x1p-7f);
  EXPECT_LT(relative_error(four, dequantized(BlockType::q4_k, quantized(BlockType::q4_k, four))),
            1e-3);
  EXPECT_LT(relative_error(five, dequantized(BlockType::q5_k, quantized(BlockType::q5_k, five))),
            1e-3);
  std::vector<float> six(256);
  for (std::size_t i = 0; i < 256; ++i) {
    const std::size_t sub_block = i / 16;
    const float level = sub_block == 3 ? -128.0f : static_cast<float>(sub_block) * 8.0f - 60.0f;
    six[i] = 0x1p-9f * level * (static_cast<float>(i % 16 * 4) - 32.0f);
  }
  EXPECT_EQ(dequantized(BlockType::q6_k, quantized(BlockType::q6_k, six)), six);
}

TEST(BlockCodec, ErrorsOfNormalValuesAreThoseOfTheType) {
  struct Bound {
    BlockType type;
    double largest;
  };
  const auto values = test::normal_numbers();
  for (const auto& [type, largest] :
       {Bound{BlockType::f32, 0.0}, Bound{BlockType::f16, 3e-4}, Bound{BlockType::bf16, 2e-3},
        Bound{BlockType::q8_0, 0.0056}, Bound{BlockType::q6_k, 0.0182},
        Bound{BlockType::q5_k, 0.0370}, Bound{BlockType::q5_1, 0.0400},
        Bound{BlockType::q5_0, 0.0440}, Bound{BlockType::q4_k, 0.0725},
        Bound{BlockType::q4_1, 0.0820}, Bound{BlockType::q4_0, 0.0880}}) {
    const double error = relative_error(values, dequantized(type, quantized(type, values)));
    EXPECT_LE(error, largest) << name_of(type);
    EXPECT_GE(error, 0.9 * largest - 1e-3) << name_of(type);
  }
}

double weighted_error(std::span<const float> values, std::span<const float> back,
                      std::span<const float> importance) {
  double error = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    error += importance[i % importance.size()] * (values[i] - back[i]) * (values[i] - back[i]);
  }
  return error;
}

TEST(BlockCodec, ImportanceLowersTheErrorThatItWeighs) {
  const auto values = test::normal_numbers();
  const auto importance = test::column_importance();
  for (const BlockType type : {BlockType::q4_0, BlockType::q4_1, BlockType::q5_0, BlockType::q5_1,
                               BlockType::q4_k, BlockType::q5_k, BlockType::q6_k}) {
    Bytes bytes(stored_bytes(type, values.size()));
    ASSERT_FALSE(quantize_weighted(type, values, importance, bytes));
    const double plain =
        weighted_error(values, dequantized(type, quantized(type, values)), importance);
    EXPECT_LT(weighted_error(values, dequantized(type, bytes), importance), 0.95 * plain)
        << name_of(type);
  }
}

TEST(BlockCodec, RowsOfSuperBlocksMayComeInPieces) {
  constexpr std::size_t kPiece = 256;
  const auto values = test::normal_numbers(2 * test::kColumns);
  const auto importance = test::column_importance();
  for (const BlockType type : {BlockType::q4_k, BlockType::q5_k, BlockType::q6_k}) {
    const std::size_t piece_bytes = layout_of(type).bytes;
    Bytes whole(stored_bytes(type, values.size()));
    Bytes pieces(whole.size());
    ASSERT_FALSE(quantize_weighted(type, values, importance, whole));
    for (std::size_t first = 0; first < values.size(); first += kPiece) {
      ASSERT_FALSE(
          quantize_weighted(type, std::span{values}.subspan(first, kPiece),
                            std::span{importance}.subspan(first % test::kColumns, kPiece),
                            std::span{pieces}.subspan(first / kPiece * piece_bytes, piece_bytes)));
    }
    EXPECT_EQ(whole, pieces) << name_of(type);
  }
}

TEST(BlockCodec, TypesThatDoNotLookAtImportanceStayAsTheyAre) {
  const auto values = test::normal_numbers();
  const auto importance = test::column_importance();
  for (const BlockType type : {BlockType::f32, BlockType::f16, BlockType::bf16, BlockType::q8_0}) {
    Bytes bytes(stored_bytes(type, values.size()));
    ASSERT_FALSE(quantize_weighted(type, values, importance, bytes));
    EXPECT_EQ(bytes, quantized(type, values)) << name_of(type);
  }
}

TEST(BlockCodec, ValuesThatAreNoFiniteNumbersAreTold) {
  for (const auto& [type, word] : names<BlockType>()) {
    auto values = test::normal_numbers(2048);
    Bytes bytes(stored_bytes(type, values.size()));
    const std::vector<float> importance(1024, 1.0f);
    for (const float bad : {kNan, kInfinity, -kInfinity}) {
      values[1500] = bad;
      EXPECT_EQ(quantize(type, values, bytes), 1500u) << word;
      EXPECT_EQ(quantize_weighted(type, values, importance, bytes), 1500u) << word;
    }
    values[1789] = kNan;
    EXPECT_EQ(quantize(type, values, bytes), 1500u) << word << ": the first";
  }
}

TEST(BlockCodec, AScaleThatDoesNotFitIsTold) {
  for (const auto& [type, word] : names<BlockType>()) {
    if (type == BlockType::f32 || type == BlockType::bf16) continue;
    auto values = test::normal_numbers(2048);
    Bytes bytes(stored_bytes(type, values.size()));
    values[1301] = -60000.0f;
    EXPECT_EQ(quantize(type, values, bytes), std::nullopt) << word;
    for (const float bad : {-1e9f, -3e38f}) {
      values[1300] = bad;
      EXPECT_EQ(quantize(type, values, bytes), 1300u) << word << ' ' << bad;
    }
  }
}

TEST(BlockCodec, ImportanceMustBeModerateAndNotNegative) {
  const auto values = test::normal_numbers(512);
  Bytes bytes(stored_bytes(BlockType::q4_k, values.size()));
  for (const float bad : {-1.0f, kNan, kInfinity, 1e19f}) {
    std::vector<float> importance(256, 1.0f);
    importance[77] = bad;
    try {
      (void)quantize_weighted(BlockType::q4_k, values, importance, bytes);
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      EXPECT_NE(std::string{error.what()}.find("column 77"), std::string::npos) << error.what();
    }
  }
}

TEST(BlockCodec, OnlyWholeBlocksAndRowsAreTaken) {
  std::vector<float> values(96);
  Bytes bytes(1000);
  const auto first = [&bytes](std::size_t count) { return std::span{bytes}.first(count); };
  EXPECT_THROW((void)quantize(BlockType::q8_0, std::span{values}.first(33), first(34)), Error);
  EXPECT_THROW((void)quantize(BlockType::q8_0, values, first(101)), Error);
  EXPECT_THROW((void)quantize(BlockType::q4_k, values, first(144)), Error);
  EXPECT_THROW(dequantize(BlockType::q5_1, first(71), values), Error);
  const std::vector<float> importance(64, 1.0f);
  EXPECT_THROW((void)quantize_weighted(BlockType::q4_0, values, importance, first(54)), Error);
  EXPECT_THROW((void)quantize_weighted(BlockType::q4_0, values, {}, first(54)), Error);
}

TEST(BlockCodec, NumbersAndNamesOfTypesAreThoseOfGgml) {
  EXPECT_EQ(block_type_of(14), BlockType::q6_k);
  EXPECT_EQ(block_type_of(30), BlockType::bf16);
  EXPECT_EQ(block_type_of(4), std::nullopt);
  EXPECT_EQ(block_type_of(31), std::nullopt);
  EXPECT_EQ(name_of(BlockType::q5_k), "q5_k");
  EXPECT_EQ(stored_bytes(BlockType::q5_k, 1024), 4u * 176);
  for (const auto& [type, word] : names<BlockType>()) {
    EXPECT_EQ(1024 % layout_of(type).values, 0u) << word << ": granules are whole blocks";
  }
}

}  // namespace
}  // namespace ballast::formats
