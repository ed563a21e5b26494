#include "storage/whole_file.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

namespace fs = std::filesystem;

TEST(WholeFile, AppearsWhenItIsComplete) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "scores.jsonl";
  WholeFile file{path};
  file.write("one\n");
  file.write("two\n");
  EXPECT_FALSE(fs::exists(path));
  file.deliver();
  EXPECT_EQ(read_text(path), "one\ntwo\n");
}

TEST(WholeFile, LeavesNothingOfWhatIsNotDelivered) {
  const test::TemporaryFolder folder;
  { WholeFile{folder / "scores.jsonl"}.write("one\n"); }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(WholeFile, NeedsAFolderThatIsThere) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(WholeFile{folder / "none" / "scores.jsonl"}, Error);
}

}  // namespace
}  // namespace ballast::storage
