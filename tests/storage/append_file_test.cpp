#include "storage/append_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>

#include "storage/files.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::TemporaryFolder;

TEST(AppendFile, AppendsLinesToWhatIsThere) {
  const TemporaryFolder folder;
  std::ofstream{folder / "log"} << "before\n";
  AppendFile file{folder / "log"};
  file.write_line("one");
  file.write_line("two");
  EXPECT_EQ(read_text(folder / "log"), "before\none\ntwo\n");
  EXPECT_FALSE(file.take_message().has_value());
}

TEST(AppendFile, WithoutAPathWritesNothing) {
  AppendFile file;
  EXPECT_FALSE(file.is_open());
  file.write_line("nowhere");
}

TEST(AppendFile, WhatCannotBeOpenedIsNamed) {
  const TemporaryFolder folder;
  const auto message = test::data_error_of([&] { (void)AppendFile{folder / "none" / "log"}; });
  EXPECT_NE(message.find("none/log'"), std::string::npos) << message;
}

/// A disk that is full until the file of the same name is another one.
TEST(AppendFile, AFullDiskIsToldOnceAndLinesAreWrittenWhenThereIsRoom) {
  const TemporaryFolder folder;
  const auto path = folder / "log";
  std::filesystem::create_symlink("/dev/full", path);
  AppendFile file{path};
  file.write_line("one");
  const auto message = file.take_message();
  ASSERT_TRUE(message.has_value());
  EXPECT_NE(message->find("log' cannot be written: No space left on device"), std::string::npos)
      << *message;
  file.write_line("two");
  EXPECT_FALSE(file.take_message().has_value());

  std::filesystem::remove(path);
  file.write_line("three");
  EXPECT_EQ(read_text(path), "one\ntwo\nthree\n");
  const auto end = file.take_message();
  ASSERT_TRUE(end.has_value());
  EXPECT_NE(end->find("is written again, nothing of it is lost"), std::string::npos) << *end;
  EXPECT_FALSE(file.take_message().has_value());
}

TEST(AppendFile, AFolderThatIsDeletedAndMadeAgainHasTheLaterLines) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  std::filesystem::create_directory(run);
  AppendFile file{run / "log"};
  file.write_line("one");
  std::filesystem::remove_all(run);
  file.write_line("two");
  ASSERT_TRUE(file.take_message().has_value());
  std::filesystem::create_directory(run);
  file.write_line("three");
  EXPECT_EQ(read_text(run / "log"), "two\nthree\n");
}

TEST(AppendFile, WhatIsKeptHasAnEndAndLosesWholeLinesOnly) {
  const TemporaryFolder folder;
  const auto path = folder / "log";
  std::filesystem::create_symlink("/dev/full", path);
  AppendFile file{path};
  const std::string line(1 << 16, 'x');
  const std::size_t lines = 3 * AppendFile::kMostKept / line.size();
  for (std::size_t i = 0; i < lines; ++i) file.write_line(line);
  (void)file.take_message();
  std::filesystem::remove(path);
  file.write_line("last");
  const std::string text = read_text(path);
  EXPECT_LE(text.size(), AppendFile::kMostKept + line.size());
  EXPECT_TRUE(text.ends_with("\nlast\n"));
  const auto kept = static_cast<std::size_t>(std::ranges::count(text, '\n')) - 1;
  EXPECT_EQ(text.size(), kept * (line.size() + 1) + 5);
  EXPECT_NE(file.take_message()->find(fmt::format("; {} of its lines are lost", lines - kept)),
            std::string::npos);
}

}  // namespace
}  // namespace ballast::storage
