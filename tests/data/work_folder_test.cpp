#include "data/work_folder.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/resource.h>
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

/// Prepares in a process of its own, whose files may not grow beyond `bytes`, and prints the Error.
[[noreturn]] void prepare_within(const PrepareOptions& options, rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{bytes, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  try {
    prepare(options, {});
  } catch (const Error& error) {
    ::setrlimit(RLIMIT_FSIZE, &before);  // standard error may be a file, too
    std::fputs(error.what(), stderr);
  }
  std::_Exit(0);
}

TEST(WorkFolder, NothingIsLeftWhereADiskRefuses) {
  const TemporaryFolder folder;
  std::ofstream{folder / "a.txt"} << prose(400'000);
  const auto output = folder / "out.h5";
  for (const rlim_t bytes : {0u, 512u, 4096u, 70'000u}) {
    EXPECT_EXIT(prepare_within({.inputs = {(folder / "a.txt").string()}, .output = output}, bytes),
                testing::ExitedWithCode(0), "cannot .*dataset.h5'.*: File too large")
        << bytes;
    EXPECT_EXIT(prepare_within({.inputs = {"/dev/zero"}, .output = output}, bytes),
                testing::ExitedWithCode(0),
                "cannot store a copy of the input '/dev/zero': .*: File too large")
        << bytes;
    EXPECT_EQ(entries(folder.path()), 1) << "a.txt";
  }
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
