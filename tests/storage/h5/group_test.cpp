#include "storage/h5/group.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <map>

#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::TemporaryFolder;

/// Names whose order is not that of their numbers; some begin as others do.
std::string name_of(std::size_t i) {
  return std::string(1 + i % 3, 'a') + std::to_string(i * 7919 % 1009);
}

/// Enough for symbol nodes to split, and for the tree above them, too: one of 8 and 32 entries.
TEST(H5Group, FindsEachOfManyMembers) {
  const TemporaryFolder folder;
  constexpr std::size_t kMembers = 800;
  std::map<std::string, std::uint64_t> members;
  {
    H5Writer file{folder / "file.h5"};
    for (std::size_t i = 0; i < kMembers; ++i) {
      members[name_of(i)] = i;
      file.write<std::uint64_t>("many/" + name_of(i), std::vector<std::uint64_t>{i});
    }
    file.close();
  }
  ASSERT_EQ(members.size(), kMembers);
  const H5Reader file{folder / "file.h5"};
  for (const auto& [name, number] : members) {
    EXPECT_EQ(file.read_all<std::uint64_t>("many/" + name), (std::vector<std::uint64_t>{number}));
    const std::string longer = name + "x";
    EXPECT_FALSE(file.contains("many/" + longer));
    const std::string shorter = name.substr(0, name.size() - 1);
    EXPECT_EQ(file.contains("many/" + shorter), members.contains(shorter)) << shorter;
  }
  EXPECT_FALSE(file.contains("many/" + std::string(100000, 'a')));
  EXPECT_FALSE(file.contains("many/\xff"));
  EXPECT_TRUE(file.contains("many"));
}

TEST(H5Group, FoldersNest) {
  const TemporaryFolder folder;
  std::string name;
  {
    H5Writer file{folder / "file.h5"};
    for (int i = 0; i < 30; ++i) {
      name += "deep/";
      file.write<std::uint64_t>(name + "x", std::vector<std::uint64_t>{name.size()});
    }
    file.close();
  }
  const H5Reader file{folder / "file.h5"};
  EXPECT_EQ(file.read_all<std::uint64_t>(name + "x")[0], name.size());
  EXPECT_FALSE(file.contains(name + "deep/x"));
  EXPECT_FALSE(file.contains("deep//x"));
  EXPECT_FALSE(file.contains("/deep/x"));
  const auto message = data_error_of([&] { (void)file.size("deep/y"); });
  expect_contains(message, "file.h5' has no dataset 'deep/y'");
  expect_contains(data_error_of([&] { (void)file.size("deep"); }), "lacks message");
}

class H5DamagedGroup : public testing::Test {
 protected:
  H5DamagedGroup() {
    H5Writer file{path_};
    for (std::size_t i = 0; i < 300; ++i) {
      file.write<float>(name_of(i), std::vector<float>{1});
    }
    file.close();
    whole_ = test::bytes_of_file(path_);
  }
  /// How looking for all members ends where `bytes` stand `behind` the first `signature` that is a
  /// group's.
  std::string error_with(std::string_view signature, std::size_t behind, std::string_view bytes) {
    test::write_bytes(path_, whole_);
    for (std::size_t at = whole_.find(signature); at != std::string::npos;
         at = whole_.find(signature, at + 1)) {
      test::replace_bytes(path_, at + behind, bytes);
    }
    return data_error_of([&] {
      const H5Reader file{path_};
      for (std::size_t i = 0; i < 300; ++i) (void)file.contains(name_of(i));
    });
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "file.h5";
  std::string whole_;
};

TEST_F(H5DamagedGroup, IsNamed) {
  using test::field;
  const std::string far = field(~std::uint64_t{0} - 100, 8);
  struct Case {
    const char* signature;
    std::size_t behind;
    std::string bytes;
    const char* words;
  };
  for (const auto& [signature, behind, bytes, words] :
       {Case{"TREE", 0, "TREA", "no 'TREE'"}, Case{"TREE", 4, field(1, 1), "of another kind"},
        Case{"TREE", 5, field(200, 1), "too deep"}, Case{"TREE", 5, field(5, 1), "wrong level"},
        Case{"TREE", 6, field(33, 2), "too many entries"}, Case{"TREE", 32, far, "not in the file"},
        Case{"TREE", 40, far, "a name lies beyond its heap's end"},
        Case{"SNOD", 0, "SNOT", "no 'SNOD'"}, Case{"SNOD", 4, field(2, 1), "symbols are not"},
        Case{"SNOD", 6, field(9, 2), "too many symbols"},
        Case{"SNOD", 8, far, "a name lies beyond its heap's end"},
        Case{"SNOD", 24, field(2, 4), "a link to another place: refused"},
        Case{"HEAP", 0, "HEAD", "no 'HEAP'"}, Case{"HEAP", 4, field(1, 1), "a heap is of HDF5's"},
        Case{"HEAP", 8, far, "a heap lies beyond"}, Case{"HEAP", 24, far, "a heap lies beyond"},
        Case{"HEAP", 8, field(20, 8), "a name"}}) {
    const auto message = error_with(signature, behind, bytes);
    expect_contains(message, "cannot read '");
    expect_contains(message, "file.h5'");
    expect_contains(message, words);
  }
}

}  // namespace
}  // namespace ballast::storage
