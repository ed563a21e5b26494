#include <array>
#include <filesystem>
#include <string>
#include <sys/stat.h>

#include "data/content.hpp"
#include "data/prepared.hpp"

namespace ballast::data {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

class PrepareInputs : public Prepare {
 protected:
  /// Of `why`, once `input` is prepared: "2: a, b".
  std::string left_out(const std::string& input, LeftOut why) {
    const auto summary = run(input);
    const auto group = summary.left_out.groups().find(why);
    if (group == summary.left_out.groups().end()) return "none";
    std::string words = std::to_string(group->second.count) + ":";
    for (const auto& name : group->second.names) words += " " + fs::path{name}.filename().string();
    return words;
  }
};

const std::string kLines = "{\"text\": \"alpha\"}\n{\"text\": \"beta\"}\n";

TEST_F(PrepareInputs, WhatIsNoTextIsRefusedByItsContentWithTheWayToItsText) {
  struct Case {
    std::string bytes, kind, remedy;
  };
  const std::array cases{Case{"\x1f\x8b\x08", "a gzip file", "zcat '"},
                         Case{"BZh91AY&SY\x01", "a bzip2 file", "bzcat '"},
                         Case{"\xfd\x37zXZ\0"s, "an xz file", "xzcat '"},
                         Case{"\x28\xb5\x2f\xfd", "a Zstandard file", "zstdcat '"},
                         Case{"PK\3\4", "a zip archive", "unpack"},
                         Case{"PAR1\x15\x04\0\0binary\0PAR1"s, "a Parquet file", "JSON lines"},
                         Case{"%PDF-1.5\n", "a PDF document", "pdftotext '"},
                         Case{"\x7f\x45LF\2\1", "a program (ELF)", "leave it out"},
                         Case{"\x89PNG\r\n\x1a\n", "a picture (PNG)", "leave it out"},
                         Case{"\xff\xfeh\0i\0"s, "UTF-16 text", "iconv -f UTF-16"},
                         Case{"\x89HDF\r\n\x1a\n", "an HDF5 file", "JSON lines"},
                         Case{std::string(257, '\0') + "ustar", "a tar archive", "unpack"}};
  for (const auto& [bytes, kind, remedy] : cases) {
    write_file(in("some.txt"), bytes);
    const auto message = error(in("some.txt"));
    expect_contains(message, "some.txt' is " + kind);
    expect_contains(message, remedy);
    write_file(in("some.jsonl"), bytes);
    expect_contains(error(in("some.jsonl")), kind);
  }
}

TEST_F(PrepareInputs, TextsThatBeginLikeOtherFormatsAreTexts) {
  for (const std::string text : {"PAR1 is a word", "BZh9 too", "MZ, the artist", "GIF8 or not",
                                 "RIFF on it", "ID3 tags", "ORC and elf", "wOF wOF"}) {
    EXPECT_EQ(recognize(text).kind, ContentKind::text) << text;
    EXPECT_NE(recognize(text + '\1').kind, ContentKind::text) << text;
  }
  EXPECT_EQ(recognize("").kind, ContentKind::text);
}

TEST_F(PrepareInputs, BytesThatAreNoTextAreTakenOnlyWhenSoTold) {
  write_file(in("a.txt"), prose(70000) + "\0x"s);  // beyond what the format is judged by
  expect_contains(error(in("a.txt")), fmt::format("NUL byte at offset {}", prose(70000).size()));
  run({.inputs = {in("a.txt")}, .format = FormatChoice::text});
  EXPECT_EQ(Prepared{output()}.train[0], prose(70000) + "\0x"s);
  write_file(in("a.gz"), "\x1f\x8b\x08");
  run({.inputs = {in("a.gz")}, .format = FormatChoice::text});
  EXPECT_EQ(Prepared{output()}.train[0], "\x1f\x8b\x08");
}

TEST_F(PrepareInputs, JsonLinesAreKnownByNameInAnyCaseAndByContent) {
  for (const char* name : {"a.jsonl", "a.JSONL", "a.NdJson", "a.json", "a.txt", "a"}) {
    write_file(in(name), kLines);
    const auto summary = run(in(name));
    EXPECT_EQ(summary.json_files, 1u) << name;
    EXPECT_EQ(summary.documents, 2u) << name;
    EXPECT_EQ(Prepared{output()}.train, std::vector{"alphabeta"s}) << name;
  }
  for (const char* name : {"b.JSONL", "b.ndJson"}) {
    write_file(in(name), "words");
    expect_contains(error(in(name)), "line 1: byte 1: this is not JSON");
  }
  write_file(in("a.txt"), "\xEF\xBB\xBF{\"id\": 1}\n\n{\"id\": 2}\n");
  expect_contains(error(in("a.txt")), "line 1: it has no \"text\"");
}

TEST_F(PrepareInputs, AFirstLineLongerThanWhatIsLookedAtIsJudgedByItsStart) {
  write_file(in("a"), "{\"id\": 7, \"text\" : \"" + std::string(100000, 'x') + "\"}\n" + kLines);
  EXPECT_EQ(run(in("a")).documents, 3u);
}

TEST_F(PrepareInputs, OtherJsonIsTextUnlessItHoldsTextsUnderTheField) {
  write_file(in("a.json"), "{\n  \"name\": \"a package\"\n}\n");
  EXPECT_EQ(run(in("a.json")).text_files, 1u);
  write_file(in("a.json"), "[{\"text\": \"alpha\"},\n {\"text\": \"beta\"}]\n");
  expect_contains(error(in("a.json")), "not one object per line");
  run({.inputs = {in("a.json")}, .format = FormatChoice::text});
  EXPECT_TRUE(Prepared{output()}.train[0].starts_with("[{"));
}

TEST_F(PrepareInputs, AFormatThatIsGivenHolds) {
  write_file(in("a.jsonl"), kLines);
  EXPECT_EQ(run({.inputs = {in("a.jsonl")}, .format = FormatChoice::text}).text_files, 1u);
  EXPECT_EQ(Prepared{output()}.train, std::vector{kLines});
  write_file(in("a.txt"), "{\"text\": \"only\"}");
  EXPECT_EQ(run({.inputs = {in("a.txt")}, .format = FormatChoice::jsonl}).json_files, 1u);
}

TEST_F(PrepareInputs, FoldersLeaveOutWhatHoldsNoTextAndSaySo) {
  write_file(in("d/a.txt"), "text");
  write_file(in("d/.hidden"), "hidden");
  write_file(in("d/.git/config"), "hidden");
  write_file(in("d/b.png"), "\x89PNG\r\n\x1a\n");
  write_file(in("d/empty.txt"), "");
  ASSERT_EQ(::mkfifo(in("d/pipe").c_str(), 0600), 0);
  EXPECT_EQ(left_out(in("d"), LeftOut::hidden), "2: .git .hidden");
  EXPECT_EQ(left_out(in("d"), LeftOut::no_text), "1: b.png");
  EXPECT_EQ(left_out(in("d"), LeftOut::special), "1: pipe");
  const auto summary = run(in("d"));
  EXPECT_EQ(summary.text_files, 2u);
  EXPECT_EQ(summary.empty_files, 1u);
  EXPECT_EQ(summary.documents, 1u);
  // What may be text is not left out without a word.
  write_file(in("d/more.gz"), "\x1f\x8b\x08");
  expect_contains(error(in("d")), "more.gz' is a gzip file");
}

TEST_F(PrepareInputs, DatasetsOfThisProgramAreNoText) {
  write_file(in("d/a.txt"), prose(20000));
  const auto hash = [&] { return Dataset{output()}.info().content_hash; };
  run(in("d"));
  const auto first = hash();
  fs::copy(output(), in("d/first.h5"));
  EXPECT_EQ(left_out(in("d"), LeftOut::own_dataset), "1: first.h5");
  const auto beside = prepare({.inputs = {in("d")}, .output = in("d/second.h5")}, {});
  EXPECT_FALSE(beside.left_out.groups().contains(LeftOut::hidden)) << "its own work folder";
  fs::remove(in("d/second.h5"));
  EXPECT_EQ(hash(), first);
  run({.inputs = {in("d")}, .format = FormatChoice::text});
  EXPECT_EQ(hash(), first);
  expect_contains(error(in("d/first.h5")), "a dataset of this program");
  // An older output is replaced, whoever named it.
  prepare({.inputs = {in("d/a.txt"), in("d/first.h5")}, .output = in("d/first.h5")}, {});
  EXPECT_EQ(Dataset{in("d/first.h5")}.info().content_hash, first);
}

TEST_F(PrepareInputs, AnInputIsNeverWrittenOver) {
  write_file(in("a.txt"), "precious");
  const auto message =
      data_error_of([&] { prepare({.inputs = {in("a.txt")}, .output = in("a.txt")}, {}); });
  expect_contains(message, "a.txt' is input and output");
  EXPECT_EQ(fs::file_size(in("a.txt")), 8u);
  ASSERT_EQ(::mkfifo(in("pipe").c_str(), 0600), 0);
  expect_contains(
      data_error_of([&] { prepare({.inputs = {in("a.txt")}, .output = in("pipe")}, {}); }),
      "pipe' is no regular file");
}

TEST_F(PrepareInputs, LinkedFoldersAreFollowedOnceAndCirclesPassedOver) {
  write_file(in("elsewhere/a.txt"), "a");
  write_file(in("d/b.txt"), "b");
  fs::create_directory_symlink(in("elsewhere"), in("d/part"));
  fs::create_directory_symlink(in("elsewhere"), in("d/part-again"));
  fs::create_directory_symlink(in("d"), in("elsewhere/up"));
  fs::create_symlink("self", in("d/self"));
  fs::create_symlink("nothing", in("d/broken"));
  EXPECT_EQ(left_out(in("d"), LeftOut::broken_link), "2: broken self");
  EXPECT_EQ(left_out(in("d"), LeftOut::repeated), "2: part-again up");
  EXPECT_EQ(Prepared{output()}.train, std::vector{"ba"s});
  fs::create_symlink("circle", in("circle"));
  expect_contains(error(in("circle")), "circle': Too many levels of symbolic links");
}

TEST_F(PrepareInputs, AFileOfSeveralNamesIsReadOnceByItsOwn) {
  write_file(in("d/z.txt"), "once");
  fs::create_symlink("z.txt", in("d/a-link.txt"));
  const auto summary = run({.inputs = {in("d"), in("d/../d"), in("d/z.txt"), in("d/*.txt")}});
  EXPECT_EQ(summary.text_files, 1u);
  EXPECT_EQ(summary.left_out.groups().at(LeftOut::repeated).count, 5u);
  expect_contains(Prepared{output()}.dataset.sources(), "d/z.txt");
  fs::create_hard_link(in("d/z.txt"), in("d/y.txt"));
  EXPECT_EQ(run(in("d")).text_files, 1u);
}

TEST_F(PrepareInputs, AFolderWithoutAnythingToReadSaysWhatItHolds) {
  write_file(in("d/.hidden"), "hidden");
  expect_contains(error(in("d")), "nothing to read; left out: hidden (1): " + in("d/.hidden"));
}

TEST_F(PrepareInputs, NamesThatNoFileSystemTakesAreNamed) {
  expect_contains(error(in(std::string(300, 'x'))), "File name too long");
}

}  // namespace
}  // namespace ballast::data
