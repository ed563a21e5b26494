#include "storage/byte_source.hpp"

#include <gtest/gtest.h>

#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::TemporaryFolder;

TEST(ByteSource, GivesRangesWithinTheFile) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "file", "0123456789");
  const ByteSource source{folder / "file", "a file of bytes"};
  EXPECT_EQ(source.size(), 10u);
  EXPECT_EQ(source.read(3, 4), test::to_bytes("3456"));
  EXPECT_EQ(source.read(0, 10), test::to_bytes("0123456789"));
  EXPECT_TRUE(source.read(10, 0).empty());
}

TEST(ByteSource, MakesNoRoomForWhatIsNotThere) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "file", "0123456789");
  const ByteSource source{folder / "file", "a file of bytes"};
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  for (const auto& [at, bytes] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {7, 4}, {11, 0}, {0, kMost}, {5, kMost - 2}, {kMost, 1}, {kMost, kMost}}) {
    EXPECT_FALSE(source.contains(at, bytes));
    expect_contains(data_error_of([&, at = at, bytes = bytes] { (void)source.read(at, bytes); }),
                    "are not in the file, which has 10");
  }
}

TEST(ByteSource, AFileThatBecomesShorterIsAnError) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "file", "0123456789");
  const ByteSource source{folder / "file", "a file of bytes"};
  std::filesystem::resize_file(folder / "file", 5);
  EXPECT_EQ(source.read(0, 5), test::to_bytes("01234"));
  expect_contains(data_error_of([&] { (void)source.read(3, 4); }), "the file ends at 5");
}

}  // namespace
}  // namespace ballast::storage
