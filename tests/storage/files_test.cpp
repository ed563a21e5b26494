#include "storage/files.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "support/temporary_folder.hpp"

namespace ballast::storage {
namespace {

using test::data_error_of;
using test::TemporaryFolder;

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder}, {}));
}

TEST(Files, ReadsBackWhatItWrites) {
  const TemporaryFolder folder;
  for (const std::string& text :
       {std::string{}, std::string{"a\0b\n", 4}, std::string(3000000, 'x')}) {
    write_text_atomically(folder / "text", text);
    EXPECT_EQ(read_text(folder / "text"), text);
    EXPECT_EQ(entries(folder.path()), 1u) << "no temporary file may stay";
  }
}

TEST(Files, HashOfAFileIsTheHashOfItsBytes) {
  const TemporaryFolder folder;
  const std::string text(2500001, 'q');
  write_text_atomically(folder / "text", text);
  EXPECT_EQ(hash_file(folder / "text"), hash_of(std::span{text.data(), text.size()}));
}

TEST(Files, MissingFileAndFolderAreNamed) {
  const TemporaryFolder folder;
  const auto missing = data_error_of([&] { (void)read_text(folder / "missing"); });
  EXPECT_NE(missing.find("missing': No such file"), std::string::npos) << missing;
  const auto is_folder = data_error_of([&] { (void)hash_file(folder.path()); });
  EXPECT_NE(is_folder.find("Is a directory"), std::string::npos) << is_folder;
}

TEST(Files, FailedReplacementLeavesTheOldFileAndNoTemporary) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "target");
  std::ofstream{folder / "target/inside"} << "old";
  const auto message = data_error_of([&] { write_text_atomically(folder / "target", "new"); });
  EXPECT_NE(message.find("target"), std::string::npos);
  EXPECT_EQ(entries(folder.path()), 1u);
  EXPECT_EQ(read_text(folder / "target/inside"), "old");
}

TEST(Files, ANameOfTheGreatestLengthIsReplaced) {
  const TemporaryFolder folder;
  const auto path = folder / std::string(255, 'n');
  write_text_atomically(path, "text");
  EXPECT_EQ(read_text(path), "text");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(Files, WhatWritersThatDiedLeftIsRemoved) {
  const test::TemporaryFolder folder;
  for (const auto* name : {"text", "text.tmp-17", "text.tmp-", "text.tmp-1x", "other.tmp-17"}) {
    std::ofstream{folder / name} << name;
  }
  remove_unfinished_writes(folder / "text");
  EXPECT_FALSE(std::filesystem::exists(folder / "text.tmp-17"));
  for (const auto* name : {"text", "text.tmp-", "text.tmp-1x", "other.tmp-17"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  }
  EXPECT_NO_THROW(remove_unfinished_writes(folder / "nowhere/text"));
}

TEST(Files, AnOutputSaysHowFarItCame) {
  const TemporaryFolder folder;
  OutputFile output{folder / "text"};
  const std::string text(3000000, 'x');
  output.write(text);
  output.write({});
  output.close();
  EXPECT_EQ(read_text(folder / "text"), text);
  OutputFile full{"/dev/full"};
  const auto message = data_error_of([&] { full.write(text); });
  EXPECT_EQ(message, "cannot write '/dev/full' after 0 B: No space left on device");
  (void)data_error_of([&] { OutputFile{folder / "no/such"}; });
}

TEST(Files, SyncsAndCountsFreeSpace) {
  const TemporaryFolder folder;
  write_text_atomically(folder / "text", "x");
  sync_file(folder / "text");
  sync_folder(folder.path());
  require_free_space(folder.path(), 1);
  const auto message =
      data_error_of([&] { require_free_space(folder.path(), std::uint64_t{1} << 62); });
  EXPECT_NE(message.find("4194304.0 TiB are needed"), std::string::npos) << message;
  EXPECT_NE(message.find(folder.path().string()), std::string::npos) << message;
  (void)data_error_of([&] { sync_file(folder / "missing"); });
}

TEST(Files, APipeOrADeviceIsNoFile) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const auto pipe = data_error_of([&] { (void)read_text(folder / "pipe"); });
  EXPECT_NE(pipe.find("pipe': it is a pipe, not a file"), std::string::npos) << pipe;
  (void)data_error_of([&] { (void)hash_file(folder / "pipe"); });
  (void)data_error_of([&] { for_each_line(folder / "pipe", [](std::string_view, LineEnd) {}); });
  const auto device = data_error_of([&] { (void)read_text("/dev/zero"); });
  EXPECT_NE(device.find("it is a device"), std::string::npos) << device;
}

TEST(Files, APipeIsReadWhereOneIsWanted) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::jthread writer{[&] { std::ofstream{folder / "pipe"} << "text"; }};
  InputFile file{folder / "pipe", Inputs::any};
  std::string text(10, '\0');
  EXPECT_EQ(file.read(text), 4u);
}

TEST(Files, WhatIsReadWholeHasALimit) {
  const TemporaryFolder folder;
  write_text_atomically(folder / "text", std::string(1001, 'x'));
  EXPECT_EQ(read_text(folder / "text", 1001).size(), 1001u);
  const auto message = data_error_of([&] { (void)read_text(folder / "text", 1000); });
  EXPECT_NE(message.find("text' is larger than the 1000 B"), std::string::npos) << message;
  std::filesystem::resize_file(folder / "text", std::uintmax_t{1} << 40);
  (void)data_error_of([&] { (void)read_text(folder / "text"); });
}

TEST(Files, LinesComeOneByOne) {
  const TemporaryFolder folder;
  const auto lines_of = [&](const std::string& text) {
    write_text_atomically(folder / "text", text);
    std::string seen;
    for_each_line(folder / "text", [&](std::string_view line, LineEnd end) {
      seen.append(line) += end == LineEnd::newline ? '|' : '.';
    });
    return seen;
  };
  EXPECT_EQ(lines_of(""), "");
  EXPECT_EQ(lines_of("a\n\nbc"), "a||bc.");
  EXPECT_EQ(lines_of("a\n"), "a|");
  const std::string longer(3000000, 'x');
  EXPECT_EQ(lines_of(longer + "\n" + longer), longer + "|" + longer + ".");
  std::filesystem::resize_file(folder / "text", std::uintmax_t{1} << 33);
  const auto message =
      data_error_of([&] { for_each_line(folder / "text", [](std::string_view, LineEnd) {}); });
  EXPECT_NE(message.find("line 2: longer than 16.0 MiB"), std::string::npos) << message;
}

}  // namespace
}  // namespace ballast::storage
