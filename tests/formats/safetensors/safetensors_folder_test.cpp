#include "formats/safetensors/safetensors_folder.hpp"

#include <gtest/gtest.h>

#include "formats/safetensors/made_up.hpp"
#include "formats/safetensors/safetensors_index.hpp"

namespace ballast::formats {
namespace {

namespace fs = std::filesystem;

using test::data_error_of;
using test::expect_contains;
using test::one_tensor;
using test::TemporaryFolder;

class SafetensorsFolderTest : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view bytes) {
    test::write_bytes(model_ / name, bytes);
  }
  /// An index of this weight_map, given as JSON.
  void write_map(const std::string& map) {
    write(kSafetensorsIndexName, R"({"metadata":{"total_size":8},"weight_map":)" + map + "}");
  }
  /// Two files of one tensor each.
  void write_two() {
    write("1.safetensors", one_tensor("a", {1.0f, 2.0f}));
    write("2.safetensors", one_tensor("b", {3.0f}));
    write_map(R"({"a":"1.safetensors","b":"2.safetensors"})");
  }
  std::string error() {
    const auto message = data_error_of([&] { SafetensorsFolder{model_}; });
    expect_contains(message, model_.string());
    return message;
  }
  /// With one name of a file in the index.
  std::string error_with(const std::string& file) {
    write_map(R"({"a":"1.safetensors","b":")" + file + R"("})");
    return error();
  }

  TemporaryFolder folder_;
  fs::path model_ = folder_ / "model";

  void SetUp() override { fs::create_directory(model_); }
};

std::vector<float> read_all(const SafetensorsFolder& folder, std::string_view name) {
  std::vector<float> values(folder.tensor(name).numel);
  folder.read(name, 0, values);
  return values;
}

TEST_F(SafetensorsFolderTest, ReadsOneFile) {
  write("model.safetensors", one_tensor("a", {1.0f, 2.0f}));
  const SafetensorsFolder folder{model_};
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
  EXPECT_EQ(read_all(folder, "a"), (std::vector<float>{1.0f, 2.0f}));
}

TEST_F(SafetensorsFolderTest, ReadsSeveralFilesByTheirIndex) {
  write_two();
  write("0.safetensors", "not named, not read");
  const SafetensorsFolder folder{model_};
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read_all(folder, "a"), (std::vector<float>{1.0f, 2.0f}));
  EXPECT_EQ(read_all(folder, "b"), std::vector<float>{3.0f});
  std::vector<float> second(1);
  folder.read("a", 1, second);
  EXPECT_EQ(second[0], 2.0f);
  EXPECT_TRUE(folder.contains("b"));
  expect_contains(data_error_of([&] { (void)folder.tensor("c"); }), "no tensor 'c'");
}

TEST_F(SafetensorsFolderTest, TheOneFileGoesBeforeAnIndex) {
  write_two();
  write("model.safetensors", one_tensor("c", {5.0f}));
  EXPECT_EQ(SafetensorsFolder{model_}.names(), std::vector<std::string>{"c"});
}

TEST_F(SafetensorsFolderTest, AFileThatIsReplacedMeanwhileIsNotRead) {
  write_two();
  const SafetensorsFolder folder{model_};
  test::write_bytes(folder_ / "other", one_tensor("b", {9.0f}));
  fs::rename(folder_ / "other", model_ / "2.safetensors");
  EXPECT_EQ(read_all(folder, "b"), std::vector<float>{3.0f});
}

TEST_F(SafetensorsFolderTest, TypesThatAreNotReadMayLieBesideOthers) {
  write("model.safetensors",
        test::safetensors(R"({"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                          R"("w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
                          std::string(12, '\0')));
  const SafetensorsFolder folder{model_};
  EXPECT_EQ(read_all(folder, "w"), std::vector<float>{0.0f});
  folder.require_readable("w");
  expect_contains(data_error_of([&] { folder.require_readable("ids"); }), "'ids' is I64");
}

TEST_F(SafetensorsFolderTest, NamesInAnIndexAreOnesOfTheFolder) {
  write_two();
  test::write_bytes(folder_ / "2.safetensors", one_tensor("b", {3.0f}));
  fs::create_directory(model_ / "sub");
  write("sub/2.safetensors", one_tensor("b", {3.0f}));
  const std::string absolute = (folder_ / "2.safetensors").string();
  for (const std::string& name :
       {std::string{"../2.safetensors"}, absolute, std::string{"sub/2.safetensors"},
        std::string{"./2.safetensors"}, std::string{".."}, std::string{"."}, std::string{},
        std::string{"2.safetensors\\u0000"}, std::string{"\\u001b[2J"}, std::string(300, 'n')}) {
    const auto message = error_with(name);
    expect_contains(message, "tensor 'b': '");
    expect_contains(message, "is no plain name of a file in this folder");
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
  }
  expect_contains(error_with("3.safetensors"), "3.safetensors': No such file");
  expect_contains(error_with("sub"), "is a folder, not a safetensors file");
}

TEST_F(SafetensorsFolderTest, LinksLeadToNoFileOutside) {
  write_two();
  test::write_bytes(folder_ / "outside", one_tensor("b", {3.0f}));
  fs::remove(model_ / "2.safetensors");
  fs::create_symlink("../outside", model_ / "2.safetensors");
  expect_contains(error(), "outside of its folder; if that is the right file, copy the folder");
  fs::remove(model_ / "2.safetensors");
  fs::create_symlink(model_, folder_ / "way");
  fs::create_symlink(folder_ / "way" / ".." / "outside", model_ / "2.safetensors");
  expect_contains(error(), "outside of its folder");
  fs::remove(model_ / "2.safetensors");
  fs::create_symlink("2.safetensors", model_ / "2.safetensors");
  expect_contains(error(), "cannot open");
  fs::create_symlink("../outside", model_ / "model.safetensors");
  expect_contains(error(), "model.safetensors' is a link to");
  fs::remove(model_ / "model.safetensors");
  fs::remove(model_ / kSafetensorsIndexName);
  fs::create_symlink("../outside", model_ / kSafetensorsIndexName);
  expect_contains(error(), "index.json' is a link to");
}

// The name of a folder beside it begins with its own.
TEST_F(SafetensorsFolderTest, ANeighborOfAlikeNameIsOutside) {
  write_two();
  fs::create_directory(folder_ / "model-2");
  test::write_bytes(folder_ / "model-2" / "b", one_tensor("b", {3.0f}));
  fs::remove(model_ / "2.safetensors");
  fs::create_symlink("../model-2/b", model_ / "2.safetensors");
  expect_contains(error(), "outside of its folder");
}

TEST_F(SafetensorsFolderTest, LinksWithinTheFolderAndToItAreFollowed) {
  write_two();
  fs::rename(model_ / "2.safetensors", model_ / "kept");
  fs::create_symlink("kept", model_ / "2.safetensors");
  fs::create_directory_symlink(model_, folder_ / "link");
  EXPECT_EQ(read_all(SafetensorsFolder{folder_ / "link"}, "b"), std::vector<float>{3.0f});
}

TEST_F(SafetensorsFolderTest, IndexAndFilesAgreeOnEveryTensor) {
  write_two();
  write_map(R"({"a":"1.safetensors","b":"2.safetensors","c":"2.safetensors"})");
  expect_contains(error(), "says that tensor 'c' is in '2.safetensors', where it is not");
  write_map(R"({"b":"2.safetensors","a":"2.safetensors"})");
  expect_contains(error(), "says that tensor 'a' is in '2.safetensors', where it is not");
  write("1.safetensors", one_tensor("b", {1.0f}));
  write_map(R"({"a":"1.safetensors","b":"2.safetensors"})");
  expect_contains(error(), "holds tensor 'b', which '");
  expect_contains(error(), "says to be in '2.safetensors'");
  write("1.safetensors", one_tensor("d", {1.0f}));
  expect_contains(error(), "holds tensor 'd', which '");
  expect_contains(error(), "does not name");
  write("1.safetensors", "short");
  expect_contains(error(), "1.safetensors' is no whole safetensors file");
}

TEST_F(SafetensorsFolderTest, AnIndexHasItsForm) {
  write_two();
  write_map(R"({"a":"1.safetensors","a":"2.safetensors"})");
  expect_contains(error(), "the key 'a' stands twice");
  write_map(R"({"a":7})");
  expect_contains(error(), "tensor 'a': its file is no string");
  for (const char* text : {"[]", "{}", "7", R"({"weight_map":[]})"}) {
    write(kSafetensorsIndexName, text);
    expect_contains(error(), "it has no object 'weight_map'");
  }
  write(kSafetensorsIndexName, "{\"weight_map\":{");
  expect_contains(error(), "not valid JSON");
  write_map("{\"" + std::string(2000, 'n') + "\":\"1.safetensors\"}");
  expect_contains(error(), "has 2000 bytes; at most 1024 are read");
  std::string many = "{\"0\":\"0\"";
  for (std::size_t i = 1; i <= kMostSafetensorsFiles; ++i) {
    many += fmt::format(",\"{}\":\"{}\"", i, i);
  }
  write_map(many + "}");
  expect_contains(error(), "it names 513 files; at most 512 are read");
}

TEST_F(SafetensorsFolderTest, WhatAFolderHoldsInsteadIsNamed) {
  expect_contains(error(), "holds no weights: name a folder with 'model.safetensors'");
  write("config.json", "{}");
  expect_contains(error(), "holds no weights");
  write("model-q4.gguf", "GGUF");
  expect_contains(error(), "'model-q4.gguf' alone, which is no part of a Hugging Face folder");
  write("pytorch_model-00001-of-00002.bin", "x");
  write("pytorch_model.bin.index.json", "{}");
  expect_contains(error(), "'pytorch_model-00001-of-00002.bin' alone, which may run any program");
  write("model-00002-of-00002.safetensors", "x");
  write("model-00001-of-00002.safetensors", "x");
  expect_contains(error(), "holds 'model-00001-of-00002.safetensors', but neither");
  EXPECT_NE(data_error_of([&] { SafetensorsFolder{folder_ / "none"}; }).find("No such file"),
            std::string::npos);
  expect_contains(data_error_of([&] { SafetensorsFolder{model_ / "config.json"}; }),
                  "Not a directory");
}

}  // namespace
}  // namespace ballast::formats
