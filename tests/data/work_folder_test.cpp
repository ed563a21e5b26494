#include "data/work_folder.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/wait.h>
#include <unistd.h>

#include "data/prepared.hpp"

namespace ballast::data {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator{folder}, {});
}

TEST(WorkFolder, GoesAwayWithItsOwner) {
  const TemporaryFolder folder;
  {
    const WorkFolder work{folder / "out.h5"};
    std::ofstream{work.file("a")} << "text";
    EXPECT_EQ(entries(folder.path()), 1);
  }
  EXPECT_EQ(entries(folder.path()), 0);
}

TEST(WorkFolder, DeliversAFileUnderItsFinalName) {
  const TemporaryFolder folder;
  WorkFolder work{folder / "out.h5"};
  std::ofstream{work.file("a")} << "text";
  work.deliver(work.file("a"));
  EXPECT_EQ(fs::file_size(folder / "out.h5"), 4u);
}

TEST(WorkFolder, ALiveOneIsLeftAloneAndThatOfAKilledProcessRemoved) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const WorkFolder work{folder / "other.h5"};
    std::ofstream{work.file("dataset.h5")} << "half";
    (void)!::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  { const WorkFolder beside{folder / "out.h5"}; }
  EXPECT_EQ(entries(folder.path()), 1) << "the other one is at work";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(entries(folder.path()), 1) << "it could not clean up";
  { const WorkFolder beside{folder / "out.h5"}; }
  EXPECT_EQ(entries(folder.path()), 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(WorkFolder, LeavesFoldersAndLinksOfOthersAlone) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "kept");
  std::ofstream{folder / "kept" / "file"} << "text";
  fs::create_directory_symlink(folder / "kept", folder / ".ballast-prepare-link");
  { const WorkFolder work{folder / "out.h5"}; }
  EXPECT_TRUE(fs::exists(folder / "kept" / "file"));
  EXPECT_TRUE(fs::is_symlink(folder / ".ballast-prepare-link"));
}

TEST(WorkFolder, ANameOfTheGreatestLengthHasRoom) {
  const TemporaryFolder folder;
  std::ofstream{folder / "a.txt"} << "text";
  const fs::path output = folder / (std::string(252, 'n') + ".h5");
  prepare({.inputs = {(folder / "a.txt").string()}, .output = output}, {});
  EXPECT_TRUE(fs::exists(output));
}

}  // namespace
}  // namespace ballast::data
