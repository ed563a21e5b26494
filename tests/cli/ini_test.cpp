#include "cli/ini.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace ballast::cli {
namespace {

std::string message_of(const std::string& text) {
  try {
    (void)parse_ini(text, "a.ini");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "accepted";
}

std::string value_of(const std::string& line) {
  const auto assignments = parse_ini(line, "a.ini");
  EXPECT_EQ(assignments.size(), 1u) << line;
  return assignments.empty() ? "nothing" : assignments.front().value;
}

TEST(Ini, NamesKeysBySectionAndRemembersLines) {
  const auto given = parse_ini(
      "# a comment\n\n[ optim ]\r\nlr=3e-4\r\n  beta1 = 0.9  # why not\n\n[run] # last\nseed = 7",
      "conf/a.ini");
  ASSERT_EQ(given.size(), 3u);
  EXPECT_EQ(given[0].name, "optim.lr");
  EXPECT_EQ(given[0].value, "3e-4");
  EXPECT_EQ(given[0].where, "conf/a.ini:4");
  EXPECT_EQ(given[1].name, "optim.beta1");
  EXPECT_EQ(given[1].value, "0.9");
  EXPECT_EQ(given[1].where, "conf/a.ini:5");
  EXPECT_EQ(given[2].name, "run.seed");
  EXPECT_EQ(given[2].value, "7");
  EXPECT_EQ(given[2].where, "conf/a.ini:8");
}

TEST(Ini, TakesAnEmptyFile) { EXPECT_TRUE(parse_ini("", "a.ini").empty()); }

TEST(Ini, PassesOverAByteOrderMarkAndLinesOfSemicolons) {
  const auto given =
      parse_ini("\xEF\xBB\xBF[run]\r\n; a comment\n  ;seed = 6\nseed = 7\n", "a.ini");
  ASSERT_EQ(given.size(), 1u);
  EXPECT_EQ(given[0].name, "run.seed");
  EXPECT_EQ(given[0].where, "a.ini:4");
  EXPECT_EQ(value_of("path = a;b ; c"), "a;b ; c");
  EXPECT_EQ(value_of("path = ;"), ";");
}

TEST(Ini, KeepsWhatIsNotAComment) {
  EXPECT_EQ(value_of("path = a#b"), "a#b");
  EXPECT_EQ(value_of("path = a = b"), "a = b");
  EXPECT_EQ(value_of("path = a b \t"), "a b");
  EXPECT_EQ(value_of("path ="), "");
  EXPECT_EQ(value_of("path = \" a # b \" # comment"), " a # b ");
  EXPECT_EQ(value_of("path = \"a \\\"b\\\" \\\\c\""), "a \"b\" \\c");
}

TEST(Ini, ValuesReadBack) {
  for (const std::string value : {"plain", "with space", " ends ", "a#b", "a # b", "\"", "\\",
                                  "a\\", "\"a\\\" # b", "[x]", "k = v", "#", ";", "; a"}) {
    EXPECT_EQ(value_of("key = " + ini_value(value)), value);
  }
}

TEST(Ini, RefusesWhatItCannotReadWithItsLine) {
  EXPECT_EQ(message_of("[run]\nseed 7\n"),
            "a.ini:2: 'seed 7' is neither [section] nor key = value");
  EXPECT_EQ(message_of("= 7"), "a.ini:1: '= 7' is neither [section] nor key = value");
  EXPECT_EQ(message_of("[run\nseed = 7"), "a.ini:1: '[run' is neither [section] nor key = value");
  EXPECT_EQ(message_of("\ndir = \"open"), "a.ini:2: the quotes in '\"open' do not match");
  EXPECT_EQ(message_of("dir = \"a\" b"), "a.ini:1: the quotes in '\"a\" b' do not match");
}

TEST(Ini, LinesKeysAndTheirNumberHaveLimits) {
  EXPECT_EQ(message_of("[run]\n" + std::string(300, 'k') + " = 7"),
            "a.ini:2: the key is longer than 256 bytes");
  EXPECT_EQ(message_of("[" + std::string(300, 's') + "]"),
            "a.ini:1: the section's name is longer than 256 bytes");
  EXPECT_EQ(message_of("key = " + std::string(70000, 'v')),
            "a.ini:1: the line is longer than 65536 bytes");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "k=\n";
  EXPECT_EQ(message_of(many), "a.ini:4097: more than 4096 keys in one file");
}

TEST(Ini, QuotesLittleOfALine) {
  EXPECT_EQ(
      message_of("\x1b[31m" + std::string(1000, 'x')),
      "a.ini:1: '\\x1b[31m" + std::string(75, 'x') + "...' is neither [section] nor key = value");
}

}  // namespace
}  // namespace ballast::cli
