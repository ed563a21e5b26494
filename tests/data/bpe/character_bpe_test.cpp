#include "data/bpe/character_bpe.hpp"

#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <random>

#include "data/bpe/bpe_json.hpp"
#include "data/bpe/fixture.hpp"
#include "data/unicode/utf8.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;
using test::tokenizer_cases;
using test::tokenizer_fixture;

using Tokens = std::vector<std::int32_t>;

CharacterBpe small(std::string_view name) {
  return CharacterBpe{read_character_bpe_model(tokenizer_fixture(std::string{name} + ".json"))};
}

class SentencePieceLike : public testing::TestWithParam<std::string_view> {};

TEST_P(SentencePieceLike, GivesTheTokensOfTheTokenizersPackage) {
  CharacterBpe tokenizer = small(GetParam());
  const auto cases = tokenizer_cases(GetParam());
  ASSERT_GT(cases.size(), 50u);
  for (int round = 0; round < 2; ++round) {
    for (const auto& [text, tokens] : cases) EXPECT_EQ(tokenizer.encode(text), tokens) << text;
  }
}

TEST_P(SentencePieceLike, PartsOfACutTextHaveTheTokensOfTheWhole) {
  static constexpr std::array<std::string_view, 24> kPieces{
      "a",       "the",    " the",   " ",        "  ",   "\u2581", "\n",     "s",
      "tion",    "é",      "東京",   "x",        "Q!",   "12",     "of a",   "<s>",
      "<|end|>", "<left>", "<wide>", " <wide> ", "word", "\t",     "\u3000", "in"};
  CharacterBpe tokenizer = small(GetParam());
  std::mt19937 dice{11};
  int cuts = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += kPieces[dice() % kPieces.size()];
    const std::size_t seen = character_start(text, text.size() / 2 + dice() % (text.size() / 2));
    const std::size_t cut = tokenizer.cut(std::string_view{text}.substr(0, seen), dice() % 40);
    if (cut == 0) continue;
    ++cuts;
    Tokens parts = tokenizer.encode(text.substr(0, cut));
    const Tokens behind = tokenizer.encode(text.substr(cut), CharacterBpe::Beginning::before);
    parts.insert(parts.end(), behind.begin(), behind.end());
    ASSERT_EQ(parts, tokenizer.encode(text)) << text << "\ncut at " << cut;
  }
  EXPECT_GT(cuts, 1000);
}

TEST_P(SentencePieceLike, TextComesBack) {
  CharacterBpe tokenizer = small(GetParam());
  for (const std::string text : {"the text", "größer 東京 😀", "a  b\n\n c", "\x01\x7F"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

TEST_P(SentencePieceLike, LongTextsTakeTimeInProportion) {
  CharacterBpe tokenizer = small(GetParam());
  for (const std::string_view piece : {"a", " ", "\n", "the ", "東", "\u2581"}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    EXPECT_GT(tokenizer.encode(text).size(), 1000u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SentencePieceLike,
                         testing::Values("llama2", "mistral", "metaspace", "gemma"),
                         [](const auto& row) { return std::string{row.param}; });

TEST(CharacterBpe, OnlyTheBeginningOfATextGetsASpace) {
  CharacterBpe tokenizer = small("llama2");
  Tokens text = tokenizer.encode("x");
  const Tokens part = tokenizer.encode("x", CharacterBpe::Beginning::before);
  EXPECT_EQ(tokenizer.decode(text), "x");
  EXPECT_NE(text, part);
  EXPECT_EQ(tokenizer.bytes_of(text.front()).front(), ' ');
  EXPECT_EQ(tokenizer.bytes_of(part.front()), "x");
}

TEST(CharacterBpe, CharactersWithoutATokenAreWrittenAsBytes) {
  CharacterBpe tokenizer = small("gemma");
  const Tokens tokens = tokenizer.encode("\U0001F9FF");
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(tokenizer.model().pieces[static_cast<std::size_t>(tokens[0])].text, "<0xF0>");
  EXPECT_EQ(tokenizer.model().pieces[static_cast<std::size_t>(tokens[0])].kind, PieceKind::byte);
  EXPECT_EQ(tokenizer.bytes_of(tokens[0]), "\xF0");
}

TEST(CharacterBpe, IsToldFromByteLevelBpe) {
  EXPECT_TRUE(is_character_bpe(parse_tokenizer_json(tokenizer_fixture("llama2.json"))));
  EXPECT_FALSE(is_character_bpe(parse_tokenizer_json(tokenizer_fixture("llama3.json"))));
}

TEST(CharacterBpe, WhatIsNotKnownIsRefusedByName) {
  struct Case {
    std::string_view of;
    std::function<void(Json&)> change;
    std::string words;
  };
  const std::vector<Case> cases{
      {"llama2", [](Json& v) { v["normalizer"]["normalizers"][0]["prepend"] = "x"; }, "Prepend"},
      {"llama2", [](Json& v) { v["normalizer"]["normalizers"].erase(1); }, "Prepend without"},
      {"llama2", [](Json& v) { v["normalizer"]["normalizers"][1]["content"] = "_"; }, "Replace"},
      {"llama2", [](Json& v) { v["normalizer"]["normalizers"][0]["type"] = "NFKC"; }, "NFKC"},
      {"llama2", [](Json& v) { v["normalizer"] = nullptr; }, "nothing marks spaces"},
      {"llama2",
       [](Json& v) {
         v["decoder"] = {{"type", "Metaspace"}};
       },
       "Metaspace"},
      {"llama2", [](Json& v) { v["decoder"]["decoders"].erase(1); }, "Replace, Fuse, Strip"},
      {"llama2", [](Json& v) { v["decoder"]["decoders"][3]["start"] = 2; }, "Strip"},
      {"llama2", [](Json& v) { v["model"]["byte_fallback"] = false; }, "byte_fallback"},
      {"llama2", [](Json& v) { v["model"]["ignore_merges"] = true; }, "ignore_merges"},
      {"llama2", [](Json& v) { v["model"]["vocab"].erase("<0x41>"); }, "<0x41>"},
      {"llama2",
       [](Json& v) {
         v["model"]["vocab"]["<0x41>a"] = 5000;
         v["model"]["merges"].push_back(Json{"<0x41>", "a"});
       },
       "a token of a byte"},
      {"mistral", [](Json& v) { v["pre_tokenizer"]["replacement"] = "_"; }, "replacement"},
      {"mistral", [](Json& v) { v["pre_tokenizer"]["prepend_scheme"] = "last"; }, "last"},
      {"mistral", [](Json& v) { v["pre_tokenizer"]["add_prefix_space"] = true; },
       "add_prefix_space"},
      {"mistral", [](Json& v) { v["pre_tokenizer"]["type"] = "Whitespace"; }, "Whitespace"},
      {"gemma", [](Json& v) { v["pre_tokenizer"]["pattern"]["String"] = "x"; }, "pre_tokenizer"},
  };
  for (const auto& [of, change, words] : cases) {
    Json value = parse_json(tokenizer_fixture(std::string{of} + ".json"));
    change(value);
    const std::string message =
        data_error_of([&] { (void)read_character_bpe_model(value.dump()); });
    EXPECT_NE(message.find(words), std::string::npos) << words << ": " << message;
  }
}

}  // namespace
}  // namespace ballast::data
