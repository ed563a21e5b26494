#include "formats/safetensors/safetensors_plan.hpp"

#include <gtest/gtest.h>

#include "formats/safetensors/made_up.hpp"
#include "formats/safetensors/safetensors_header.hpp"
#include "formats/safetensors/safetensors_index.hpp"

namespace ballast::formats {
namespace {

using test::code_of;
using test::field;

constexpr std::uint64_t kOneFile = std::uint64_t{1} << 40;

std::vector<std::string> names_of(const SafetensorsPlan& plan) {
  std::vector<std::string> names;
  for (const auto& file : plan.files()) names.push_back(file.name);
  return names;
}

/// Names of the tensors of each file, in the order of its header.
std::vector<std::vector<std::string>> tensors_of(const SafetensorsPlan& plan) {
  std::vector<std::vector<std::string>> files;
  for (const auto& file : plan.files()) {
    auto& names = files.emplace_back();
    const auto text = file.head.substr(kSafetensorsLengthBytes);
    for (const auto& tensor : parse_safetensors_header(text, file.bytes - file.head.size())) {
      names.push_back(tensor.name);
    }
  }
  return files;
}

// What safetensors 0.8.0 writes of the same tensors.
TEST(SafetensorsPlan, HeadersAreThoseOfTheReference) {
  const std::vector<NamedShape> tensors{
      {"b.w", {2, 3}}, {"a", {0, 4}}, {"B", {}}, {"\xc3\xa4", {1}}};
  const SafetensorsPlan plan{tensors, ElementType::fp32, kOneFile};
  const std::string header = R"({"__metadata__":{"format":"pt"},)"
                             R"("B":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                             R"("a":{"dtype":"F32","shape":[0,4],"data_offsets":[4,4]},)"
                             R"("b.w":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},)"
                             "\"\xc3\xa4\":"
                             R"({"dtype":"F32","shape":[1],"data_offsets":[28,32]}})";
  const std::string padded = header + std::string(256 - header.size(), ' ');
  ASSERT_EQ(plan.files().size(), 1u);
  EXPECT_EQ(plan.files()[0].name, "model.safetensors");
  EXPECT_EQ(plan.files()[0].head, field(256, 8) + padded);
  EXPECT_EQ(plan.files()[0].bytes, 8u + 256u + 32u);
  EXPECT_EQ(plan.tensor("b.w").begin, 8u + 256u + 4u);
  EXPECT_EQ(plan.tensor("b.w").numel, 6u);
  EXPECT_EQ(plan.total_parameters(), 8u);
  EXPECT_EQ(plan.total_bytes(), 296u);
  EXPECT_TRUE(plan.index().empty());
  EXPECT_EQ(code_of([&] { (void)plan.tensor("c"); }), ExitCode::internal);
}

TEST(SafetensorsPlan, TypesTakeTheirBytes) {
  const std::vector<NamedShape> tensors{{"a", {3}}};
  for (const auto& [type, name] : std::vector<std::pair<ElementType, std::string>>{
           {ElementType::fp32, "F32"}, {ElementType::bf16, "BF16"}, {ElementType::fp16, "F16"}}) {
    const SafetensorsPlan plan{tensors, type, kOneFile};
    const auto& file = plan.files()[0];
    EXPECT_EQ(file.bytes - file.head.size(), 3 * size_of(type));
    EXPECT_EQ(file.head.size() % 8, 0u);
    const auto header = parse_safetensors_header(file.head.substr(8), 3 * size_of(type));
    EXPECT_EQ(header.at(0).dtype->name, name);
  }
}

// What huggingface_hub 2.4.0 makes of the same tensors, and json.dumps of that.
TEST(SafetensorsPlan, FilesAndIndexAreThoseOfTheReference) {
  const std::vector<NamedShape> tensors{{"w0", {10}}, {"w1", {10}},   {"big", {100}},
                                        {"w2", {3}},  {"none", {0}},  {"w3", {25}},
                                        {"w4", {5}},  {"w5", {2, 10}}};
  const SafetensorsPlan plan{tensors, ElementType::fp32, 100};
  EXPECT_EQ(names_of(plan),
            (std::vector<std::string>{
                "model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors",
                "model-00003-of-00004.safetensors", "model-00004-of-00004.safetensors"}));
  EXPECT_EQ(tensors_of(plan), (std::vector<std::vector<std::string>>{
                                  {"big"}, {"none", "w0", "w1", "w2"}, {"w3"}, {"w4", "w5"}}));
  EXPECT_EQ(plan.index(), R"({
  "metadata": {
    "total_parameters": 173,
    "total_size": 692
  },
  "weight_map": {
    "big": "model-00001-of-00004.safetensors",
    "none": "model-00002-of-00004.safetensors",
    "w0": "model-00002-of-00004.safetensors",
    "w1": "model-00002-of-00004.safetensors",
    "w2": "model-00002-of-00004.safetensors",
    "w3": "model-00003-of-00004.safetensors",
    "w4": "model-00004-of-00004.safetensors",
    "w5": "model-00004-of-00004.safetensors"
  }
}
)");
}

TEST(SafetensorsPlan, NoTensorsAreOneFile) {
  const SafetensorsPlan plan{{}, ElementType::bf16, kOneFile};
  EXPECT_EQ(names_of(plan), std::vector<std::string>{"model.safetensors"});
  EXPECT_EQ(plan.total_parameters(), 0u);
}

TEST(SafetensorsPlan, NamesMustBeOnesOfTheFormat) {
  const auto code = [](std::vector<NamedShape> tensors) {
    return code_of([&] { SafetensorsPlan(tensors, ElementType::fp32, kOneFile); });
  };
  for (const std::string& name : {std::string{}, std::string{"__metadata__"}, std::string{"a\nb"},
                                  std::string{"\xff"}, std::string(kLongestTensorName + 1, 'n')}) {
    EXPECT_EQ(code({{name, {1}}}), ExitCode::internal);
  }
  EXPECT_EQ(code({{"a", {1}}, {"b", {1}}, {"a", {1}}}), ExitCode::internal);
  const std::vector<NamedShape> apart{{"a", {1}}, {"a", {1}}};
  EXPECT_EQ(code_of([&] { SafetensorsPlan(apart, ElementType::fp32, 4); }), ExitCode::internal)
      << "in two files";
}

TEST(SafetensorsPlan, SizesThatNoFileHasAreRefused) {
  const auto code = [](std::vector<NamedShape> tensors) {
    return code_of([&] { SafetensorsPlan(tensors, ElementType::fp32, ~std::uint64_t{0}); });
  };
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 32;
  EXPECT_EQ(code({{"a", {kHalf, kHalf}}}), ExitCode::usage);
  EXPECT_EQ(code({{"a", {kHalf, kHalf / 4}}}), ExitCode::usage) << "2^64 bytes";
  EXPECT_EQ(code({{"a", {kHalf, kHalf / 8}}}), ExitCode::usage) << "2^63 bytes";
  EXPECT_EQ(code({{"a", {kHalf, kHalf / 16}}, {"b", {kHalf, kHalf / 16}}}), ExitCode::usage);
}

TEST(SafetensorsPlan, ThereAreNoMoreFilesAndTensorsThanAreRead) {
  std::vector<NamedShape> tensors;
  for (std::size_t i = 0; i < kMostTensors; ++i) tensors.push_back({std::to_string(i), {1}});
  EXPECT_EQ(code_of([&] { SafetensorsPlan(tensors, ElementType::fp32, kOneFile); }),
            ExitCode::usage);
  tensors.pop_back();
  const SafetensorsPlan largest{tensors, ElementType::fp32, kOneFile};
  EXPECT_EQ(tensors_of(largest).at(0).size(), tensors.size());
  tensors.resize(kMostSafetensorsFiles + 1);
  EXPECT_EQ(code_of([&] { SafetensorsPlan(tensors, ElementType::fp32, 4); }), ExitCode::usage);
  tensors.pop_back();
  const SafetensorsPlan plan{tensors, ElementType::fp32, 4};
  EXPECT_EQ(plan.files().size(), kMostSafetensorsFiles);
  EXPECT_EQ(parse_weight_map(plan.index()).size(), kMostSafetensorsFiles);
}

}  // namespace
}  // namespace ballast::formats
