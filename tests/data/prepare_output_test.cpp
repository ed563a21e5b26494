#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/resource.h>

#include "data/prepared.hpp"

namespace ballast::data {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator{folder}, {});
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

TEST(PrepareOutput, NothingIsLeftWhereADiskRefuses) {
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

TEST(PrepareOutput, ANameOfTheGreatestLengthHasRoom) {
  const TemporaryFolder folder;
  std::ofstream{folder / "a.txt"} << "text";
  const fs::path output = folder / (std::string(252, 'n') + ".h5");
  prepare({.inputs = {(folder / "a.txt").string()}, .output = output}, {});
  EXPECT_TRUE(fs::exists(output));
}

}  // namespace
}  // namespace ballast::data
