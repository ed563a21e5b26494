#include "data/bpe/bpe_tokenizer.hpp"

#include <array>
#include <gtest/gtest.h>
#include <random>

#include "data/bpe/fixture.hpp"
#include "data/unicode/nfc.hpp"
#include "data/unicode/utf8.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;
using test::small_tokenizer;
using test::tokenizer_cases;

using Tokens = std::vector<std::int32_t>;

/// Texts of pieces that meet in every way; the same each time.
std::string soup(std::mt19937& dice, int pieces) {
  static constexpr std::array<std::string_view, 40> kPieces{
      "a",      "word", "Word", "WORD",   "camelCase",    "\u00e9", "e\u0301", "\u0301",
      "\u0345", "ß",    "東京", "한국",   "\u1112\u1161", "\u01c5", "\u02b0",  "ſ",
      " ",      "  ",   "\n",   "\r\n",   "\t",           "\u00a0", "\u3000",  "\u200d",
      "1",      "22",   "4444", "\u0661", "'s",           "'LL",    "'",       "'re",
      "!",      "/",    "。",   "<",      "<|end|>",      "<left>", "<wide>",  "😀"};
  std::string text;
  std::uniform_int_distribution<std::size_t> which{0, kPieces.size() - 1};
  for (int i = 0; i < pieces; ++i) text += kPieces[which(dice)];
  return text;
}

class KnownTokenizer : public testing::TestWithParam<std::string_view> {};

TEST_P(KnownTokenizer, GivesTheTokensOfTheTokenizersPackage) {
  BpeTokenizer tokenizer = small_tokenizer(GetParam());
  const auto cases = tokenizer_cases(GetParam());
  ASSERT_GT(cases.size(), 50u);
  for (const auto& [text, tokens] : cases) EXPECT_EQ(tokenizer.encode(text), tokens) << text;
}

// Often: pieces remembered from one text are found again in the next.
TEST_P(KnownTokenizer, GivesThemAgain) {
  BpeTokenizer tokenizer = small_tokenizer(GetParam());
  const auto cases = tokenizer_cases(GetParam());
  for (int round = 0; round < 3; ++round) {
    for (auto found = cases.rbegin(); found != cases.rend(); ++found) {
      ASSERT_EQ(tokenizer.encode(found->first), found->second);
    }
  }
}

TEST_P(KnownTokenizer, PartsOfACutTextHaveTheTokensOfTheWhole) {
  BpeTokenizer tokenizer = small_tokenizer(GetParam());
  std::mt19937 dice{3};
  int cuts = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string text = soup(dice, 24);
    const std::size_t seen = character_start(text, text.size() / 2 + dice() % (text.size() / 2));
    const std::size_t cut = tokenizer.cut(std::string_view{text}.substr(0, seen), dice() % 40);
    if (cut == 0) continue;
    ++cuts;
    Tokens parts = tokenizer.encode(text.substr(0, cut));
    const Tokens behind = tokenizer.encode(text.substr(cut));
    parts.insert(parts.end(), behind.begin(), behind.end());
    ASSERT_EQ(parts, tokenizer.encode(text)) << text << "\ncut at " << cut;
  }
  EXPECT_GT(cuts, 1000);
}

TEST_P(KnownTokenizer, TextWithoutSpecialTokensComesBack) {
  BpeTokenizer tokenizer = small_tokenizer(GetParam());
  std::mt19937 dice{4};
  for (int round = 0; round < 500; ++round) {
    std::string text = soup(dice, 12);
    // What added tokens with blanks beside them and NFC take away does not come back.
    if (text.find('<') != std::string::npos) continue;
    if (tokenizer.model().normalization == Normalization::nfc) text = nfc(text);
    ASSERT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

TEST_P(KnownTokenizer, LongPiecesTakeTimeInProportion) {
  BpeTokenizer tokenizer = small_tokenizer(GetParam());
  for (const std::string_view piece :
       {"a", " ", "\n", "A", "!", "1", "aA", "a\u0301", "'", "\r \n"}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    const Tokens tokens = tokenizer.encode(text);
    std::size_t bytes = 0;
    for (const std::int32_t token : tokens) bytes += tokenizer.bytes_of(token).size();
    if (tokenizer.model().normalization == Normalization::none) {
      EXPECT_EQ(bytes, text.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, KnownTokenizer,
                         testing::Values("gpt2", "smollm", "llama3", "qwen2", "qwen35", "tekken",
                                         "gpt4o"),
                         [](const auto& row) { return std::string{row.param}; });

TEST(BpeTokenizer, NamesTheByteThatIsNoUtf8) {
  BpeTokenizer tokenizer = small_tokenizer("llama3");
  const std::string message = data_error_of([&] { (void)tokenizer.encode("abc\xFFxyz"); });
  EXPECT_NE(message.find("byte 3 (0xff)"), std::string::npos) << message;
}

TEST(BpeTokenizer, DecodesSpecialTokensToNothing) {
  BpeTokenizer tokenizer = small_tokenizer("llama3");
  const Tokens tokens = tokenizer.encode("<|begin|>a<|end|>sb");
  EXPECT_EQ(tokenizer.decode(tokens), "a<|end|>sb") << "<|end|>s is added, but not special";
  (void)data_error_of([&] { (void)tokenizer.decode(Tokens{-1}); });
  (void)data_error_of([&] { (void)tokenizer.decode(Tokens{1 << 20}); });
}

TEST(BpeTokenizer, CutsBehindLettersAwayFromAddedTokens) {
  const BpeTokenizer tokenizer = small_tokenizer("gpt4o");
  EXPECT_EQ(tokenizer.cut("one two three four", 9), 7u);
  EXPECT_EQ(tokenizer.cut("one two three four", 7), 7u);
  EXPECT_EQ(tokenizer.cut("onetwothree four", 4), 11u) << "the first one behind";
  EXPECT_EQ(tokenizer.cut("onetwothree"), 0u) << "it may go on";
  EXPECT_EQ(tokenizer.cut("it's "), 4u) << "'s may belong to the word";
  EXPECT_EQ(tokenizer.cut("a1 b2 c\u0301"), 0u) << "between letters, marks and numbers";
  EXPECT_EQ(tokenizer.cut("abc<|end|>"), 0u) << "a token begins there";
  EXPECT_EQ(tokenizer.cut("abc<|en"), 0u) << "a token may begin there";
  EXPECT_EQ(tokenizer.cut("abc<|em"), 3u) << "no token does";
  EXPECT_EQ(tokenizer.cut("my word "), 2u) << "a token ends behind 'word'";
}

}  // namespace
}  // namespace ballast::data
