#include "data/unicode/character_class.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "data/bpe/fixture.hpp"
#include "data/code_points.hpp"
#include "data/unicode/decompositions.hpp"
#include "data/unicode/nfc.hpp"

namespace ballast::data {
namespace {

using test::utf8_of;

/// FNV-1a of 64 bits, as tests/tokenizers/unicode_tables.py computes it.
class Checksum {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
    }
  }
  [[nodiscard]] std::string hex() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

const Json& facts() {
  static const Json kFacts = parse_json(test::tokenizer_fixture("unicode.json"));
  return kFacts;
}

void expect_class(std::string_view name, unsigned bit) {
  const CharacterClasses& classes = CharacterClasses::table();
  std::size_t count = 0;
  Checksum checksum;
  for (char32_t code = 0; code < 0x110000; ++code) {
    if ((classes[code] & bit) == 0) continue;
    ++count;
    checksum.add({std::array{static_cast<char>(code), static_cast<char>(code >> 8),
                             static_cast<char>(code >> 16)}
                      .data(),
                  3});
  }
  EXPECT_EQ(count, facts()[name]["count"]) << name;
  EXPECT_EQ(checksum.hex(), facts()[name]["checksum"]) << name;
}

TEST(CharacterClass, EveryCodePointIsWhatTheTokenizersPackageSees) {
  expect_class("letter", kLetter);
  expect_class("mark", kMark);
  expect_class("number", kNumber);
  expect_class("blank", kBlank);
  expect_class("upper", kUpper);
  expect_class("lower", kLower);
  expect_class("punctuation", kPunctuation);
  expect_class("symbol", kSymbol);
  expect_class("digit", kDigit);
  expect_class("word", kWord);
  expect_class("nfc_unsafe", kNfcUnsafe);
}

TEST(CharacterClass, CharactersAreFoundFromBothSides) {
  const CharacterClasses& classes = CharacterClasses::table();
  for (const std::uint32_t code :
       {0x41u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    const std::string text = "x" + utf8_of(code) + "y";
    const Character found = classes.at(text, 1);
    EXPECT_EQ(found.code, code);
    EXPECT_EQ(found.size, text.size() - 2);
    EXPECT_EQ(classes.before(text, text.size() - 1).code, code);
    std::string written;
    append_utf8(code, written);
    EXPECT_EQ(written, utf8_of(code));
  }
  EXPECT_EQ(classes.at("x", 1).size, 0);
  EXPECT_EQ(classes.before("x", 0).size, 0);
}

TEST(Nfc, EveryCodePointAloneAndBesideOthersIsAsThePackageHasIt) {
  Checksum checksum;
  std::size_t count = 0;
  const auto add = [&](const std::string& text) {
    if (count++ != 0) checksum.add("\n");
    checksum.add(nfc(text));
  };
  for (std::uint32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const std::string c = utf8_of(code);
    add(c + "\u0301a" + c + "\u0334\u1100" + c + "\u11a8" + c + "\u0345" + c);
  }
  for (const Decomposition& row : decompositions()) {
    if (row.second == 0) continue;
    const std::string a = utf8_of(row.first);
    const std::string b = utf8_of(row.second);
    add(a + b + "\u0323" + a + "\u0323" + b + a + "\u0327" + b);
  }
  EXPECT_EQ(count, facts()["nfc"]["count"]);
  EXPECT_EQ(checksum.hex(), facts()["nfc"]["checksum"]);
}

TEST(Nfc, WhatIsSurelyNormalizedIsNotChanged) {
  EXPECT_TRUE(is_surely_nfc("plain text, größer, 東京 \uac00\u1100"));
  EXPECT_FALSE(is_surely_nfc("e\u0301"));
  EXPECT_FALSE(is_surely_nfc("\u2126"));
  EXPECT_FALSE(is_surely_nfc("\u1100\u1161"));
  for (std::uint32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const std::string text = "e" + utf8_of(code) + "\uac00" + utf8_of(code);
    if (is_surely_nfc(text)) {
      ASSERT_EQ(nfc(text), text) << std::hex << code;
    }
  }
}

TEST(Nfc, LongRunsOfMarksTakeNoLongTime) {
  std::string text = "a";
  for (int i = 0; i < 200'000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0323";
  const std::string normalized = nfc(text);
  EXPECT_EQ(normalized.size(), text.size()) << "a and a mark of two bytes became three bytes";
  EXPECT_TRUE(normalized.starts_with("\u1ea1\u0323\u0323"));
}

}  // namespace
}  // namespace ballast::data
