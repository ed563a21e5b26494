#include "formats/safetensors/safetensors_header.hpp"

#include <gtest/gtest.h>

#include "formats/safetensors/made_up.hpp"
#include "support/child_memory.hpp"

namespace ballast::formats {
namespace {

using test::data_error_of;
using test::expect_contains;

std::string error_of(std::string_view header, std::uint64_t data_bytes) {
  return data_error_of([&] { (void)parse_safetensors_header(header, data_bytes); });
}

/// A header of tensors "a", "b", ... of one type and shape each.
std::string entry(std::string_view name, std::string_view dtype, std::string_view shape,
                  std::string_view offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape,
                     offsets);
}

std::string header_of(std::initializer_list<std::string> entries) {
  std::string text = "{";
  for (const auto& entry : entries) text += (text == "{" ? "" : ",") + entry;
  return text + "}";
}

TEST(SafetensorsHeader, DescribesEachTensorInItsOrder) {
  const auto tensors = parse_safetensors_header(
      header_of({R"("__metadata__":{"format":"pt","":"x"})", entry("b", "BF16", "[2,3]", "[4,16]"),
                 entry("a", "F32", "[]", "[0,4]"), entry("none", "F16", "[7,0]", "[16,16]"),
                 entry("also none", "F16", "[0]", "[4,4]")}) +
          "  \n",
      16);
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_EQ(tensors[0].name, "b");
  EXPECT_EQ(tensors[0].dtype->name, "BF16");
  EXPECT_EQ(tensors[0].shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(tensors[0].numel, 6u);
  EXPECT_EQ(tensors[0].begin, 4u);
  EXPECT_EQ(tensors[0].end, 16u);
  EXPECT_EQ(tensors[1].numel, 1u) << "no dimensions: one element";
  EXPECT_TRUE(tensors[1].shape.empty());
  EXPECT_EQ(tensors[2].numel, 0u);
  EXPECT_TRUE(parse_safetensors_header("{}", 0).empty());
}

TEST(SafetensorsHeader, KeysOfOthersAreAccepted) {
  const auto tensors = parse_safetensors_header(
      R"({"a":{"layout":[[{"x":null}]],"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
  EXPECT_EQ(tensors.at(0).numel, 1u);
}

TEST(SafetensorsHeader, EveryTypeOfTheFormatIsKnown) {
  for (const char* name :
       {"BOOL", "U8",  "I8",  "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
        "I16",  "U16", "F16", "BF16",    "I32",     "U32",     "F32",         "I64",
        "U64",  "F64", "C64", "F4",      "F6_E2M3", "F6_E3M2"}) {
    const auto* const dtype = find_dtype(name);
    ASSERT_NE(dtype, nullptr) << name;
    const std::uint64_t bytes = dtype->bits;  // of eight elements
    const auto tensors = parse_safetensors_header(
        header_of({entry("a", name, "[2,4]", fmt::format("[0,{}]", bytes))}), bytes);
    EXPECT_EQ(tensors.at(0).dtype, dtype);
    EXPECT_EQ(dtype->element.has_value(), dtype->instead.empty()) << name;
  }
  for (const auto type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    EXPECT_EQ(dtype_of(type).element, type);
    EXPECT_EQ(dtype_of(type).bits, 8 * size_of(type));
  }
}

TEST(SafetensorsHeader, DataMustBeCoveredExactly) {
  const std::string a = entry("a", "F32", "[2]", "[0,8]");
  expect_contains(error_of(header_of({a}), 7), "take 8 bytes, but only 7 follow");
  expect_contains(error_of(header_of({a}), 9),
                  "9 bytes follow the header, but its tensors take only 8");
  expect_contains(error_of("{}", 1), "1 bytes follow");
  expect_contains(error_of(header_of({a, entry("b", "F32", "[1]", "[12,16]")}), 16),
                  "tensor 'b' begins at byte 12 of the data, but the one before it ends at 8");
  expect_contains(error_of(header_of({a, entry("b", "F32", "[2]", "[4,12]")}), 12),
                  "tensor 'b' begins at byte 4 of the data, but the one before it ends at 8");
  expect_contains(error_of(header_of({a, entry("b", "F32", "[2]", "[0,8]")}), 8), "ends at 8");
  expect_contains(error_of(header_of({a, entry("b", "F32", "[0]", "[4,4]")}), 8), "'b' begins");
  expect_contains(error_of(header_of({entry("a", "F32", "[1]", "[4,8]")}), 8), "ends at 0");
}

TEST(SafetensorsHeader, OffsetsMustHoldTheShape) {
  for (const char* offsets : {"[0,4]", "[0,12]", "[0,0]"}) {
    expect_contains(error_of(header_of({entry("a", "F32", "[2]", offsets)}), 8),
                    "tensor 'a': its shape takes 8 bytes as F32, its offsets 0 to");
  }
  expect_contains(error_of(header_of({entry("a", "F32", "[2]", "[8,0]")}), 8),
                  "it begins at byte 8 of the data, after its end at 0");
  expect_contains(error_of(header_of({entry("a", "F4", "[3]", "[0,2]")}), 2),
                  "its 12 bits are no whole number of bytes");
}

TEST(SafetensorsHeader, SizesThatOverflowAreNoSmallOnes) {
  for (const char* shape : {"[4294967296,4294967296]", "[9223372036854775808,2]",
                            "[9223372036854775808,4,0]", "[18446744073709551615]"}) {
    expect_contains(error_of(header_of({entry("a", "F32", shape, "[0,0]")}), 0),
                    "than 64-bit numbers count");
  }
}

TEST(SafetensorsHeader, NumbersMustBeWhole) {
  for (const char* number :
       {"-1", "1.0", "1e0", "\"1\"", "null", "[1]", "true", "18446744073709551616"}) {
    expect_contains(
        error_of(header_of({entry("a", "F32", fmt::format("[{}]", number), "[0,4]")}), 4),
        "tensor 'a': shape is not a whole number");
    expect_contains(
        error_of(header_of({entry("a", "F32", "[1]", fmt::format("[0,{}]", number))}), 4),
        "tensor 'a': data_offsets is not a whole number");
  }
}

TEST(SafetensorsHeader, EntriesHaveTheirForm) {
  const auto entry_error = [](const std::string& text) {
    const auto message = error_of("{\"a\":" + text + "}", 4);
    expect_contains(message, "tensor 'a': ");
    return message;
  };
  expect_contains(entry_error("7"), "no object");
  expect_contains(entry_error("[]"), "no object");
  expect_contains(entry_error(R"({"shape":[1],"data_offsets":[0,4]})"), "no dtype");
  expect_contains(entry_error(R"({"dtype":"F32","data_offsets":[0,4]})"), "no shape");
  expect_contains(entry_error(R"({"dtype":"F32","shape":[1]})"), "no data_offsets");
  expect_contains(entry_error(R"({"dtype":7,"shape":[1],"data_offsets":[0,4]})"), "no string");
  expect_contains(entry_error(R"({"dtype":"f32","shape":[1],"data_offsets":[0,4]})"),
                  "dtype 'f32' is unknown");
  expect_contains(entry_error(R"({"dtype":"F32","shape":1,"data_offsets":[0,4]})"), "no list");
  expect_contains(entry_error(R"({"dtype":"F32","shape":[1],"data_offsets":[4]})"), "1 numbers");
  expect_contains(entry_error(R"({"dtype":"F32","shape":[1],"data_offsets":[0,2,4]})"),
                  "3 numbers");
}

TEST(SafetensorsHeader, MetadataAreStrings) {
  expect_contains(error_of(R"({"__metadata__":{"format":7}})", 0), "'format' is no string");
  expect_contains(error_of(R"({"__metadata__":[]})", 0), "no object");
}

TEST(SafetensorsHeader, ANameStandsOnce) {
  const std::string a = entry("a", "F32", "[1]", "[0,4]");
  expect_contains(error_of(header_of({a, a}), 4), "'a' stands twice");
  expect_contains(
      error_of(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
      "'dtype' stands twice");
}

TEST(SafetensorsHeader, BeginsWithABrace) {
  for (const char* text : {" {}", "\n{}", "[]", "", "\xef\xbb\xbf{}"}) {
    expect_contains(error_of(text, 0), "does not begin with '{'");
  }
  expect_contains(error_of("{} x", 0), "not valid JSON at byte 4");
  expect_contains(error_of(std::string{"{}\0", 3}, 0), "not valid JSON at byte 3");
  expect_contains(error_of("{", 0), "not valid JSON");
  expect_contains(error_of("{\"\xff\":0}", 0), "not valid JSON");
}

TEST(SafetensorsHeader, HasLimits) {
  const std::string deep(100, '[');
  expect_contains(error_of("{\"a\":" + deep, 0), "nested more than");
  const std::string longest(kLongestTensorName, 'n');
  EXPECT_EQ(parse_safetensors_header(header_of({entry(longest, "F32", "[1]", "[0,4]")}), 4).size(),
            1u);
  const auto message = error_of(header_of({entry(longest + "n", "F32", "[1]", "[0,4]")}), 4);
  expect_contains(message, "has 1025 bytes; at most 1024 are read");
  EXPECT_LT(message.size(), 300u);
}

TEST(SafetensorsHeader, ManyTensorsAreBounded) {
  const auto with_tensors = [](std::size_t count) {
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "" : ",") + entry(std::to_string(i), "F32", "[0,1]", "[0,0]");
    }
    return text + "}";
  };
  EXPECT_EQ(parse_safetensors_header(with_tensors(kMostTensors), 0).size(), kMostTensors);
  expect_contains(error_of(with_tensors(kMostTensors + 1), 0), "at most 32768 are read");
  std::string many = R"({"a":{"x":[0)";
  for (int i = 0; i < 4'000'000; ++i) many += ",0";
  const auto child = test::in_child([&] { (void)parse_safetensors_header(many, 0); });
  expect_contains(child.message, "more values than fit");
  EXPECT_LT(child.grown_bytes, test::kMostMemory + (std::uint64_t{64} << 20));
}

}  // namespace
}  // namespace ballast::formats
