#include "storage/h5/superblock.hpp"

#include <gtest/gtest.h>

#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::field;
using test::TemporaryFolder;

class H5Superblock : public testing::Test {
 protected:
  H5Superblock() {
    H5Writer file{path_};
    file.write<float>("x", std::vector<float>(10));
    file.close();
    whole_ = test::bytes_of_file(path_);
  }
  /// How opening ends where these bytes stand at `at`.
  std::string error_with(std::size_t at, std::string_view bytes) {
    test::write_bytes(path_, whole_);
    test::replace_bytes(path_, at, bytes);
    return data_error_of([&] { H5Reader{path_}; });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "file.h5";
  std::string whole_;
};

TEST_F(H5Superblock, OfOtherSizesIsLaidOutInAnotherWay) {
  constexpr const char* kOther = "laid out in another way than ballast writes it";
  struct Case {
    std::size_t at;
    std::string bytes;
    const char* words;
  };
  for (const auto& [at, bytes, words] :
       {Case{8, field(2, 1), "superblock is of HDF5's version 2"},
        Case{13, field(4, 1), "addresses have 4 bytes, its lengths 8"},
        Case{14, field(4, 1), "addresses have 8 bytes, its lengths 4"},
        Case{16, field(8, 2), "nodes of 16 and 32 entries"},
        Case{18, field(8, 2), "nodes of 8 and 16 entries"},
        Case{24, field(512, 8), "do not begin at the file's start"},
        Case{48, field(96, 8), "a driver"}}) {
    const auto message = error_with(at, bytes);
    expect_contains(message, "file.h5' is HDF5, but ");
    expect_contains(message, kOther);
    expect_contains(message, words);
  }
}

TEST_F(H5Superblock, TellsTheFilesLength) {
  expect_contains(error_with(40, field(whole_.size() + 1, 8)), "truncated or damaged");
  // Longer than it says is no harm: somebody padded it.
  test::write_bytes(path_, whole_ + "more");
  EXPECT_EQ(H5Reader{path_}.size("x"), 10u);
}

TEST_F(H5Superblock, BehindAUsersBlockIsNamed) {
  test::write_bytes(path_, std::string(1024, ' ') + whole_);
  expect_contains(data_error_of([&] { H5Reader{path_}; }), "begins with a user's block");
  test::write_bytes(path_, std::string(1000, ' ') + whole_);
  expect_contains(data_error_of([&] { H5Reader{path_}; }), "is not an HDF5 file");
}

TEST_F(H5Superblock, PointsIntoTheFile) {
  const auto message = error_with(64, field(whole_.size(), 8));
  expect_contains(message, "cannot read the root group of '");
  expect_contains(message, "file.h5': 16 bytes at ");
  expect_contains(error_with(64, field(~std::uint64_t{0}, 8)), "are not in the file");
}

}  // namespace
}  // namespace ballast::storage
