#include "formats/safetensors/safetensors_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "formats/safetensors/made_up.hpp"
#include "support/child_memory.hpp"

namespace ballast::formats {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::safetensors;
using test::TemporaryFolder;

class SafetensorsFileTest : public testing::Test {
 protected:
  /// What opening a file of these bytes ends with; it names the file and says what to do.
  std::string error_of(std::string_view bytes) {
    test::write_bytes(path_, bytes);
    const auto child = test::in_child([&] { SafetensorsFile{path_}; });
    EXPECT_LT(child.grown_bytes, test::kMostMemory) << child.message;
    expect_contains(child.message, path_.string());
    return child.message;
  }
  SafetensorsFile open(std::string_view bytes) {
    test::write_bytes(path_, bytes);
    return SafetensorsFile{path_};
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
};

TEST_F(SafetensorsFileTest, ReadsRangesOfItsThreeTypes) {
  // 1, -2 and 0.5 in each of them, bf16 at an odd byte.
  const std::string header = R"({"h":{"dtype":"F16","shape":[3],"data_offsets":[13,19]},)"
                             R"("f":{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]},)"
                             R"("odd":{"dtype":"U8","shape":[1],"data_offsets":[12,13]},)"
                             R"("b":{"dtype":"BF16","shape":[1,3],"data_offsets":[19,25]}})";
  const std::string data{
      "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f\xaa"
      "\x00\x3c\x00\xc0\x00\x38\x80\x3f\x00\xc0\x00\x3f",
      25};
  const auto file = open(safetensors(header, data));
  EXPECT_EQ(file.tensors().size(), 4u);
  const std::vector<float> expected{1.0f, -2.0f, 0.5f};
  for (const char* name : {"f", "h", "b"}) {
    for (std::size_t first = 0; first <= 3; ++first) {
      for (std::size_t count = 0; first + count <= 3; ++count) {
        std::vector<float> values(count, 7.0f);
        file.read(name, first, values);
        EXPECT_EQ(values, std::vector<float>(
                              expected.begin() + static_cast<std::ptrdiff_t>(first),
                              expected.begin() + static_cast<std::ptrdiff_t>(first + count)));
      }
    }
  }
  std::vector<float> values(3);
  EXPECT_EQ(test::code_of([&] { file.read("f", 1, values); }), ExitCode::internal);
  EXPECT_EQ(test::code_of([&] { file.read("f", ~std::uint64_t{0}, values); }), ExitCode::internal);
}

TEST_F(SafetensorsFileTest, RangesOverSeveralPiecesAreWhole) {
  const auto expected = test::some_values(700'001, 1);
  const auto file = open(test::one_tensor("a", expected));
  std::vector<float> values(expected.size() - 5);
  file.read("a", 3, values);
  EXPECT_TRUE(std::equal(values.begin(), values.end(), expected.begin() + 3));
}

TEST_F(SafetensorsFileTest, AskedForWhatItHasNot) {
  const auto file = open(test::one_tensor("a", {1.0f}));
  EXPECT_TRUE(file.contains("a"));
  EXPECT_FALSE(file.contains("b"));
  expect_contains(data_error_of([&] { (void)file.tensor("b"); }), "has no tensor 'b'");
  std::vector<float> values(1);
  expect_contains(data_error_of([&] { file.read("b", 0, values); }), path_.string());
}

TEST_F(SafetensorsFileTest, TypesThatAreNotReadAreNamedWhenTheyAreAskedFor) {
  for (const auto& [dtype, words] : std::vector<std::pair<std::string, std::string>>{
           {"F8_E4M3", "such weights are quantized: take the model in F32, F16 or BF16"},
           {"I8", "quantized"},
           {"U8", "quantized"},
           {"I64", "weights must be F32, F16 or BF16"},
           {"BOOL", "weights must be"},
           {"F64", "convert the file"}}) {
    const std::uint64_t bytes = find_dtype(dtype)->bits / 8;
    const auto file = open(safetensors(
        fmt::format(R"({{"a":{{"dtype":"{}","shape":[1],"data_offsets":[0,{}]}}}})", dtype, bytes),
        std::string(bytes, 'x')));
    EXPECT_EQ(file.tensor("a").dtype->name, dtype);
    const auto message = data_error_of([&] { file.require_readable("a"); });
    expect_contains(message, "tensor 'a' is " + dtype + ", which is not read");
    expect_contains(message, words);
    std::vector<float> values(1);
    EXPECT_EQ(data_error_of([&] { file.read("a", 0, values); }), message);
  }
}

TEST_F(SafetensorsFileTest, CutAnywhereItIsRefused) {
  const std::string whole = test::one_tensor("a", {1.0f, 2.0f});
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    test::write_bytes(path_, whole.substr(0, bytes));
    expect_contains(data_error_of([&] { SafetensorsFile{path_}; }), path_.string());
  }
  expect_contains(error_of(whole + "x"), "9 bytes follow the header, but its tensors take only 8");
  expect_contains(error_of(whole.substr(0, whole.size() - 1)), "get or write it once more");
}

TEST_F(SafetensorsFileTest, MakesNoRoomForWhatItClaims) {
  expect_contains(error_of(test::field(10'000'000'000, 8) + "{}"),
                  "claims a header of 10000000000 bytes; at most 100000000 are read");
  expect_contains(error_of(test::field(~std::uint64_t{0}, 8) + "{}"), "at most 100000000");
  expect_contains(error_of(test::field(99'000'000, 8) + "{}"),
                  "claims a header of 99000000 bytes at byte 8, but has 10 bytes in all");
  expect_contains(error_of(test::field(100'000'001, 8) + std::string(100, ' ')), "at most");
  expect_contains(
      error_of(safetensors(
          R"({"a":{"dtype":"F32","shape":[2500000000],"data_offsets":[0,10000000000]}})")),
      "take 10000000000 bytes, but only 0 follow");
  expect_contains(error_of(test::field(3, 8) + "{}"), "but has 10 bytes in all");
  expect_contains(error_of("1234567"), "8 bytes at 0 are not in the file, which has 7");
}

TEST_F(SafetensorsFileTest, NoFileIsSaidToBeOne) {
  expect_contains(error_of("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
                  "git lfs pull");
  expect_contains(error_of(""), "is empty, not a safetensors file");
  expect_contains(data_error_of([&] { SafetensorsFile{folder_.path()}; }),
                  "is a folder, not a safetensors file");
  expect_contains(data_error_of([&] { SafetensorsFile{folder_ / "missing"}; }), "does not exist");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  expect_contains(data_error_of([&] { SafetensorsFile{folder_ / "pipe"}; }), "is a pipe");
}

TEST_F(SafetensorsFileTest, AFileThatBecomesShorterIsAnError) {
  const auto file = open(test::one_tensor("a", {1.0f, 2.0f}));
  const auto size = std::filesystem::file_size(path_);
  std::filesystem::resize_file(path_, size - 3);
  std::vector<float> values(1);
  file.read("a", 0, values);
  EXPECT_EQ(values[0], 1.0f);
  const auto message = data_error_of([&] { file.read("a", 1, values); });
  expect_contains(message, path_.string());
  expect_contains(message, "tensor 'a': the file ends at " + std::to_string(size - 3));
}

TEST_F(SafetensorsFileTest, ReadingTakesLittleMemory) {
  constexpr std::uint64_t kBytes = std::uint64_t{1} << 30;
  test::write_bytes(path_, safetensors(fmt::format(
                               R"({{"a":{{"dtype":"F16","shape":[{}],"data_offsets":[0,{}]}}}})",
                               kBytes / 2, kBytes)));
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) + kBytes);
  const auto child = test::in_child([&] {
    const SafetensorsFile file{path_};
    std::vector<float> values(1'000'000);
    for (std::uint64_t first = 0; first < kBytes / 2; first += kBytes / 16) {
      file.read("a", first, values);
    }
    throw data_error("read, last value {}", values.back());
  });
  EXPECT_EQ(child.message, "read, last value 0");
  EXPECT_LT(child.grown_bytes, std::uint64_t{test::kSanitized ? 512 : 16} << 20);
}

}  // namespace
}  // namespace ballast::formats
