#include "storage/work_folder.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

namespace fs = std::filesystem;

using test::data_error_of;
using test::TemporaryFolder;

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
  fs::create_directory_symlink(folder / "kept", folder / ".ballast-output-link");
  { const WorkFolder work{folder / "out.h5"}; }
  EXPECT_TRUE(fs::exists(folder / "kept" / "file"));
  EXPECT_TRUE(fs::is_symlink(folder / ".ballast-output-link"));
}

TEST(WorkFolder, DeliversAFolderThatIsNotThereYet) {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(0022);
  WorkFolder work{folder / "model"};
  const fs::path made = work.folder("model");
  ::umask(mask);
  EXPECT_EQ(fs::status(made).permissions(), fs::perms{0755}) << "as other outputs";
  std::ofstream{made / "a"} << "text";
  work.deliver(made);
  EXPECT_EQ(fs::file_size(folder / "model" / "a"), 4u);
}

TEST(WorkFolder, AFolderReplacesNothing) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "model");
  std::ofstream{folder / "model" / "old"} << "old";
  std::ofstream{folder / "file"} << "old";
  for (const char* name : {"model", "file"}) {
    WorkFolder work{folder / name};
    const fs::path made = work.folder("new");
    std::ofstream{made / "a"} << "text";
    const auto message = data_error_of([&] { work.deliver(made); });
    EXPECT_NE(message.find((folder / name).string()), std::string::npos) << message;
  }
  EXPECT_EQ(fs::file_size(folder / "model" / "old"), 3u);
  EXPECT_EQ(fs::file_size(folder / "file"), 3u);
  EXPECT_EQ(entries(folder.path()), 2);
  EXPECT_EQ(entries(folder / "model"), 1);
}

/// A folder with one file in a work folder, as an output that is written.
fs::path written(const WorkFolder& work, const std::string& text) {
  fs::path folder = work.folder("out");
  std::ofstream{folder / text} << text;
  return folder;
}

TEST(WorkFolder, ReplacesAFolderWithWhatIsInItOnlyWhereThatIsAsked) {
  const TemporaryFolder folder;
  for (const char* text : {"first", "second", "third"}) {
    WorkFolder work{folder / "out"};
    work.deliver_over(written(work, text));
    EXPECT_TRUE(fs::exists(folder / "out" / text));
  }
  EXPECT_EQ(entries(folder / "out"), 1) << "of an older output";
  {
    WorkFolder work{folder / "out"};
    data_error_of([&] { work.deliver(written(work, "fourth")); });
  }
  EXPECT_TRUE(fs::exists(folder / "out" / "third"));
  EXPECT_EQ(entries(folder.path()), 1) << "of the work folders";
}

}  // namespace
}  // namespace ballast::storage
