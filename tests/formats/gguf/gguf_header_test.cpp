#include "formats/gguf/gguf_header.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "formats/gguf/made_up_gguf.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::formats {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::field;
using test::gguf_tensor;
using test::gguf_text;
using test::gguf_u32;
using test::MadeUpGguf;

class GgufHeaders : public testing::Test {
 protected:
  /// What a file of these bytes says.
  GgufHeader read(const std::string& bytes) {
    test::write_bytes(path_, bytes);
    return read_gguf_header(storage::ByteSource{path_, "a GGUF file"});
  }
  GgufHeader read(const MadeUpGguf& file) { return read(file.bytes()); }
  /// The message that it is refused with.
  std::string error(const std::string& bytes) {
    return data_error_of([&] { (void)read(bytes); });
  }
  std::string error(const MadeUpGguf& file) { return error(file.bytes()); }

  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "a.gguf";
};

/// Two tensors of 6 and of 2 elements.
MadeUpGguf two_tensors() {
  return {.metadata = {gguf_u32("a.size", 7)},
          .tensors = {gguf_tensor("m", {3, 2}, 0, 0), gguf_tensor("v", {2}, 1, 32)},
          .data = std::string(36, 'x')};
}

TEST_F(GgufHeaders, SayWhatTensorsThereAre) {
  const GgufHeader header = read(two_tensors());
  ASSERT_EQ(header.metadata.size(), 1u);
  EXPECT_EQ(header.metadata[0].key, "a.size");
  EXPECT_EQ(std::get<std::uint32_t>(header.metadata[0].value), 7u);
  ASSERT_EQ(header.tensors.size(), 2u);
  const GgufTensor& matrix = header.tensors[0];
  EXPECT_EQ(matrix.name, "m");
  EXPECT_EQ(matrix.shape, (std::vector<std::uint64_t>{2, 3})) << "rows first";
  EXPECT_EQ(matrix.type, BlockType::f32);
  EXPECT_EQ(matrix.bytes, 24u);
  EXPECT_EQ(header.tensors[1].begin, 32u);
  EXPECT_EQ(header.data_begin % 32, 0u);
}

TEST_F(GgufHeaders, EveryTypeOfValueComesBack) {
  const GgufMetadata metadata{
      {"0", std::uint8_t{200}},
      {"1", std::int8_t{-5}},
      {"2", std::uint16_t{60'000}},
      {"3", std::int16_t{-30'000}},
      {"4", std::uint32_t{4'000'000'000}},
      {"5", std::int32_t{-2'000'000'000}},
      {"6", 1.5f},
      {"7", true},
      {"8", std::string{"text\0with a zero", 16}},
      {"10", std::uint64_t{1} << 63},
      {"11", std::int64_t{-1}},
      {"12", 0.1},
      {"strings", GgufArray{std::vector<std::string>{"", "two", "three"}}},
      {"bools", GgufArray{std::vector<bool>{true, false, true}}},
      {"i32", GgufArray{std::vector<std::int32_t>{-1, 2}}},
      {"f32", GgufArray{std::vector<float>{0.5f}}},
      {"none", GgufArray{std::vector<std::uint64_t>{}}},
  };
  const GgufHeader header = read(gguf_header_bytes(metadata, {}));
  ASSERT_EQ(header.metadata.size(), metadata.size());
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    EXPECT_EQ(header.metadata[i].key, metadata[i].key);
    EXPECT_EQ(header.metadata[i].value, metadata[i].value) << metadata[i].key;
  }
}

TEST_F(GgufHeaders, AreWrittenByteForByteAsTheFormatSays) {
  const GgufMetadata metadata{{"general.architecture", std::string{"llama"}},
                              {"k", std::uint32_t{258}},
                              {"list", GgufArray{std::vector<std::string>{"a"}}}};
  const std::vector<GgufTensor> tensors{
      {.name = "w", .type = BlockType::q8_0, .shape = {2, 64}, .numel = 128, .begin = 0x120}};
  const std::string expected =
      std::string{"GGUF\3\0\0\0\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 24} +
      std::string{"\x14\0\0\0\0\0\0\0general.architecture\x8\0\0\0\5\0\0\0\0\0\0\0llama", 45} +
      std::string{"\1\0\0\0\0\0\0\0k\4\0\0\0\2\1\0\0", 17} +
      std::string{"\4\0\0\0\0\0\0\0list\x9\0\0\0\x8\0\0\0\1\0\0\0\0\0\0\0", 28} +
      std::string{"\1\0\0\0\0\0\0\0a", 9} +
      std::string{"\1\0\0\0\0\0\0\0w\2\0\0\0\x40\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\x8\0\0\0", 33} +
      std::string{"\x20\1\0\0\0\0\0\0", 8};
  const std::string bytes = gguf_header_bytes(metadata, tensors);
  EXPECT_EQ(bytes.substr(0, expected.size()), expected);
  EXPECT_EQ(bytes.size(), 192u) << "164 bytes, and zeros up to a multiple of 32";
  EXPECT_EQ(bytes.substr(expected.size()), std::string(bytes.size() - expected.size(), '\0'));
}

TEST_F(GgufHeaders, AreCutShortNowhere) {
  const std::string whole = two_tensors().bytes();
  EXPECT_EQ(read(whole).tensors.size(), 2u);
  for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
    EXPECT_NE(error(whole.substr(0, bytes)), "") << bytes;
  }
  EXPECT_EQ(read(whole + "more").tensors.size(), 2u) << "llama.cpp reads such files, too";
}

TEST_F(GgufHeaders, OtherFilesAndVersionsAreRefused) {
  auto file = two_tensors();
  file.magic = "GGML";
  expect_contains(error(file), "byte 0: 'GGML' where a GGUF file has 'GGUF'");
  for (const std::uint32_t version : {0u, 1u, 4u, 0x03000000u}) {
    file = two_tensors();
    file.version = version;
    expect_contains(error(file), fmt::format("byte 4: version {}", version));
  }
  expect_contains(error(file), "big-endian");
  file.version = 2;
  EXPECT_EQ(read(file).tensors.size(), 2u);
}

TEST_F(GgufHeaders, KeysAreThereOnceAndNamed) {
  MadeUpGguf file{.metadata = {gguf_u32("a", 1), gguf_u32("a", 2)}};
  expect_contains(error(file), "byte 41: the key 'a' is there twice");
  file.metadata = {gguf_u32("", 1)};
  expect_contains(error(file), "byte 24: a key is empty");
  file.metadata = {gguf_text("a") + field(13, 4) + field(0, 8)};
  expect_contains(error(file), "key 'a': byte 33: a value is of type 13");
  file.metadata = {gguf_text("a") + field(9, 4) + field(9, 4) + field(0, 8)};
  expect_contains(error(file), "key 'a': byte 37: the elements of a list are of type 9");
  file.metadata = {gguf_text("a") + field(7, 4) + field(2, 1)};
  expect_contains(error(file), "neither true (1) nor false (0)");
}

TEST_F(GgufHeaders, ClaimsBeyondTheFileTakeNoMemory) {
  const std::uint64_t most = ~std::uint64_t{0};
  for (const std::uint64_t count : {most, most / 8, std::uint64_t{1} << 40}) {
    for (const std::uint32_t type : {0u, 4u, 8u, 10u}) {
      const MadeUpGguf file{
          .metadata = {gguf_text("a") + field(9, 4) + field(type, 4) + field(count, 8)}};
      expect_contains(error(file), "elements of a list");
    }
    const MadeUpGguf text{.metadata = {gguf_text("a") + field(8, 4) + field(count, 8)}};
    EXPECT_NE(error(text), "");
    const std::string counts = "GGUF" + field(3, 4);
    EXPECT_NE(error(counts + field(count, 8) + field(0, 8)), "");
    EXPECT_NE(error(counts + field(0, 8) + field(count, 8)), "");
  }
}

TEST_F(GgufHeaders, TensorsAreThereOnceAndOfKnownTypes) {
  MadeUpGguf file{.tensors = {gguf_tensor("w", {1}, 0, 0), gguf_tensor("w", {1}, 0, 32)},
                  .data = std::string(64, ' ')};
  expect_contains(error(file), "the tensor 'w' is there twice");
  file.tensors = {gguf_tensor(std::string(64, 'n'), {1}, 0, 0)};
  expect_contains(error(file), "the name of a tensor of 64 bytes; at most 63 are read");
  for (const std::uint32_t type : {4u, 5u, 23u, 31u, 0xffffffffu}) {
    file.tensors = {gguf_tensor("w", {256}, type, 0)};
    expect_contains(error(file), fmt::format("tensor 'w': it is of ggml's type {}", type));
  }
  file.tensors = {gguf_tensor("w", {1, 1, 1, 1, 1}, 0, 0)};
  expect_contains(error(file), "5 dimensions");
}

TEST_F(GgufHeaders, RowsAreWholeBlocks) {
  MadeUpGguf file{.tensors = {gguf_tensor("w", {33, 32}, 8, 0)}, .data = std::string(9999, ' ')};
  expect_contains(error(file), "its rows have 33 elements, which are no whole blocks of 32 (q8_0)");
  file.tensors = {gguf_tensor("w", {128, 2}, 12, 0)};
  expect_contains(error(file), "no whole blocks of 256 (q4_k)");
  file.tensors = {gguf_tensor("w", {}, 8, 0)};
  expect_contains(error(file), "its rows have 1 elements");
  file.tensors = {gguf_tensor("w", {64, 3}, 8, 0)};
  EXPECT_EQ(read(file).tensors[0].bytes, 204u);
}

TEST_F(GgufHeaders, SizesThatWrapAreRefused) {
  const std::uint64_t half = std::uint64_t{1} << 32;
  for (const auto& shape : std::vector<std::vector<std::uint64_t>>{
           {half, half}, {~std::uint64_t{0}}, {half, half / 4}, {4, half, half}}) {
    const MadeUpGguf file{.tensors = {gguf_tensor("w", shape, 0, 0)}};
    expect_contains(error(file), "more elements than a file can hold");
  }
}

TEST_F(GgufHeaders, TensorsLieOneBehindTheOther) {
  for (const std::uint64_t begin : {0u, 31u, 33u, 24u, 64u}) {
    auto file = two_tensors();
    file.tensors[1] = gguf_tensor("v", {2}, 1, begin);
    expect_contains(error(file), fmt::format("tensor 'v' begins at {} of the data", begin));
  }
  auto file = two_tensors();
  file.data.pop_back();
  expect_contains(error(file), "tensor 'v' has 4 bytes from 32 of the data on, which end at 35");
}

TEST_F(GgufHeaders, TheAlignmentIsAPowerOfTwo) {
  auto file = two_tensors();
  file.metadata = {gguf_u32("general.alignment", 64)};
  file.alignment = 64;
  expect_contains(error(file), "tensor 'v' begins at 32 of the data; the ones before it end at 64");
  file.tensors[1] = gguf_tensor("v", {2}, 1, 64);
  file.data = std::string(68, 'x');
  EXPECT_EQ(read(file).data_begin % 64, 0u);
  for (const std::uint32_t alignment : {0u, 3u, 48u}) {
    file.metadata = {gguf_u32("general.alignment", alignment)};
    expect_contains(error(file), "is no power of two");
  }
  file.metadata = {test::gguf_string("general.alignment", "32")};
  expect_contains(error(file), "is string, not u32");
}

TEST(GgufFiles, AreKnownByTheirFirstBytes) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "a", two_tensors().bytes());
  test::write_bytes(folder / "short", "GGU");
  test::write_bytes(folder / "other", "GGML and more");
  EXPECT_TRUE(is_gguf_file(folder / "a"));
  for (const char* name : {"short", "other", "missing", ""}) {
    EXPECT_FALSE(is_gguf_file(folder / name)) << name;
  }
}

TEST(GgufFiles, NameThemselvesInErrors) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "a", "GGML");
  const auto message = data_error_of([&] { GgufFile{folder / "a"}; });
  expect_contains(message, (folder / "a").string());
  test::write_bytes(folder / "b", two_tensors().bytes());
  expect_contains(data_error_of([&] { (void)GgufFile{folder / "b"}.tensor("q"); }),
                  "has no tensor 'q'");
}

TEST(GgufFiles, AreReadInRanges) {
  const test::TemporaryFolder folder;
  std::string data = field(0x3f800000, 4) + field(0x40000000, 4) + field(0x40400000, 4) +
                     field(0, 4) + field(0, 4) + field(0xbf800000, 4) + field(0, 8) +
                     field(0x3c00, 2) + field(0xc000, 2);
  auto made = two_tensors();
  made.data = data;
  test::write_bytes(folder / "a", made.bytes());
  const GgufFile file{folder / "a"};
  std::vector<float> two(2);
  file.read("m", 1, two);
  EXPECT_EQ(two, (std::vector<float>{2.0f, 3.0f}));
  file.read("m", 4, two);
  EXPECT_EQ(two, (std::vector<float>{0.0f, -1.0f}));
  file.read("v", 0, two);
  EXPECT_EQ(two, (std::vector<float>{1.0f, -2.0f}));
  EXPECT_THROW(file.read("m", 5, two), Error);
}

}  // namespace
}  // namespace ballast::formats
