#include <gtest/gtest.h>

#include "formats/safetensors/made_up.hpp"
#include "formats/safetensors/safetensors_folder.hpp"
#include "formats/safetensors/safetensors_index.hpp"

namespace ballast::formats {
namespace {

namespace fs = std::filesystem;

using test::data_error_of;
using test::expect_contains;
using test::one_tensor;
using test::TemporaryFolder;

std::vector<float> read_a(const fs::path& path) {
  const SafetensorsFolder folder{path};
  std::vector<float> values(folder.tensor("a").numel);
  folder.read("a", 0, values);
  return values;
}

/// A folder as huggingface_hub downloads it: links in a snapshot lead to files named by their hash.
class CachedFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(snapshot_);
    fs::create_directory(model_ / "blobs");
    test::write_bytes(model_ / "blobs" / "0a1b", one_tensor("a", {1.0f}));
  }
  void link(const fs::path& target) {
    fs::remove(snapshot_ / kSafetensorsName);
    fs::create_symlink(target, snapshot_ / kSafetensorsName);
  }
  std::string error() {
    return data_error_of([&] { SafetensorsFolder{snapshot_}; });
  }

  TemporaryFolder folder_;
  fs::path model_ = folder_ / "models--owner--name";
  fs::path snapshot_ = model_ / "snapshots" / "c0ffee";
};

TEST_F(CachedFolderTest, LinksLeadToItsBlobs) {
  link("../../blobs/0a1b");
  EXPECT_EQ(read_a(snapshot_), std::vector<float>{1.0f});
  fs::create_directory_symlink(snapshot_, folder_ / "link");
  EXPECT_EQ(read_a(folder_ / "link"), std::vector<float>{1.0f});
}

TEST_F(CachedFolderTest, AnIndexAndItsFilesAreLinks) {
  test::write_bytes(model_ / "blobs" / "2c3d",
                    R"({"weight_map":{"a":"model-00001-of-00001.safetensors"}})");
  fs::create_symlink("../../blobs/2c3d", snapshot_ / kSafetensorsIndexName);
  fs::create_symlink("../../blobs/0a1b", snapshot_ / "model-00001-of-00001.safetensors");
  EXPECT_EQ(read_a(snapshot_), std::vector<float>{1.0f});
}

TEST_F(CachedFolderTest, LinksLeadNowhereElse) {
  for (const fs::path& place :
       {folder_ / "outside", folder_ / "models--owner--other" / "blobs" / "0a1b",
        folder_ / "blobs" / "0a1b", model_ / "blobs-2" / "0a1b", model_ / "refs" / "0a1b",
        model_ / "blobs" / "sub" / "0a1b", model_ / "snapshots" / "decaf" / "0a1b"}) {
    fs::create_directories(place.parent_path());
    test::write_bytes(place, one_tensor("a", {1.0f}));
    link(fs::relative(place, snapshot_));
    expect_contains(error(), "outside of its folder");
  }
}

TEST_F(CachedFolderTest, BlobsAreAFolderOfTheCacheItself) {
  fs::rename(model_ / "blobs", folder_ / "elsewhere");
  fs::create_directory_symlink(folder_ / "elsewhere", model_ / "blobs");
  link("../../blobs/0a1b");
  expect_contains(error(), "outside of its folder");
}

TEST_F(CachedFolderTest, OtherFoldersWithBlobsBesideThemAreNoCaches) {
  link("../../blobs/0a1b");
  fs::rename(model_, folder_ / "owner--name");
  snapshot_ = folder_ / "owner--name" / "snapshots" / "c0ffee";
  expect_contains(error(), "outside of its folder");
  fs::rename(folder_ / "owner--name", model_);
  fs::rename(model_ / "snapshots", model_ / "others");
  snapshot_ = model_ / "others" / "c0ffee";
  expect_contains(error(), "outside of its folder");
}

}  // namespace
}  // namespace ballast::formats
