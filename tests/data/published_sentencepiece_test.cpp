#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include "data/code_points.hpp"
#include "data/sentencepiece_models.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::foreign_model;
using Ids = std::vector<std::int32_t>;
using Settings = std::unordered_map<std::string, std::string>;

/// As Llama 2's and Mistral's models are.
std::vector<std::uint8_t> published(Settings more = {}) {
  more.insert({{"byte_fallback", "true"},
               {"remove_extra_whitespaces", "false"},
               {"normalization_rule_name", "identity"},
               {"control_symbols", "[INST],[/INST]"}});
  return foreign_model(more);
}

/// What the library itself gives.
Ids by_library(const std::vector<std::uint8_t>& model, const std::string& text) {
  sentencepiece::SentencePieceProcessor library;
  EXPECT_TRUE(library.LoadFromSerializedProto(std::string{model.begin(), model.end()}).ok());
  Ids ids;
  EXPECT_TRUE(library.Encode(text, &ids).ok());
  return ids;
}

const std::vector<std::string>& texts() {
  static const std::vector<std::string> kTexts{
      "In the beginning God created the heaven and the earth",
      " the  heaven   and\tthe earth ",
      "\n\nGod\n created\r\n",
      "\xE2\x96\x81the\xE2\x96\x81\xE2\x96\x81 heaven",
      "gr\xC3\xB6\xC3\x9F"
      "er \xE6\x9D\xB1\xE4\xBA\xAC \xF0\x9F\x91\xA9",
      "a",
      " ",
      "   ",
      ""};
  return kTexts;
}

TEST(PublishedSentencePiece, GivesTheTokensOfTheLibrary) {
  for (const auto& model : {published(), published({{"add_dummy_prefix", "false"}}),
                            published({{"split_by_whitespace", "false"}}),
                            published({{"model_type", "unigram"}, {"vocab_size", "281"}})}) {
    const auto tokenizer = make_published_sentencepiece(model);
    for (const auto& text : texts()) {
      EXPECT_EQ(tokenizer->encode(text), by_library(model, text)) << text;
    }
  }
}

TEST(PublishedSentencePiece, TextInPartsHasTheTokensOfTheWhole) {
  for (const auto& model : {published(), published({{"split_by_whitespace", "false"}})}) {
    const auto tokenizer = make_published_sentencepiece(model);
    std::string text;
    for (int i = 0; text.size() < 8 * kEncodeBytes; ++i) {
      text += texts()[static_cast<std::size_t>(i * i) % texts().size()];
      text += i % 7 == 0 ? "\n" : "";
    }
    Ids parts;
    TextPart part = TextPart::beginning;
    std::string_view rest = text;
    while (rest.size() > kEncodeBytes) {
      const std::size_t cut = tokenizer->cut(rest);
      ASSERT_GT(cut, 0u);
      const Ids more = tokenizer->encode_part(rest.substr(0, cut), part);
      parts.insert(parts.end(), more.begin(), more.end());
      part = TextPart::continuation;
      rest.remove_prefix(cut);
    }
    const Ids more = tokenizer->encode_part(rest, part);
    parts.insert(parts.end(), more.begin(), more.end());
    EXPECT_EQ(parts, by_library(model, text));
    EXPECT_EQ(tokenizer->encode(text), parts);
  }
}

TEST(PublishedSentencePiece, NoPlaceToCutIsSaid) {
  const auto tokenizer = make_published_sentencepiece(published());
  std::string text;
  while (text.size() < 2 * kEncodeBytes) text += "created";
  const std::size_t cut = tokenizer->cut(text);
  const auto whole = by_library(published(), text);
  auto parts = tokenizer->encode(text.substr(0, cut));
  const auto more = tokenizer->encode_part(text.substr(cut), TextPart::continuation);
  parts.insert(parts.end(), more.begin(), more.end());
  EXPECT_EQ(cut == 0 ? tokenizer->encode(text) : parts, whole);
}

TEST(PublishedSentencePiece, FindsItsControlPieces) {
  const auto model = published();
  const auto tokenizer = make_published_sentencepiece(model);
  const auto inst = static_cast<std::int32_t>(3);
  Ids expected{1, inst};
  const Ids middle = by_library(model, "God created");
  expected.insert(expected.end(), middle.begin(), middle.end());
  expected.push_back(inst + 1);
  EXPECT_EQ(tokenizer->encode("<s>[INST]God created[/INST]"), expected);
  EXPECT_EQ(tokenizer->piece_bytes(inst), 0u);
  EXPECT_EQ(tokenizer->content()->entries[3].kind, PieceKind::control);
  EXPECT_EQ(tokenizer->content()->entries[3].text, "[INST]");
  EXPECT_TRUE(tokenizer->content()->adds_space_prefix);
}

TEST(PublishedSentencePiece, KeepsNulAndRefusesWhatIsNoText) {
  const auto tokenizer = make_published_sentencepiece(published());
  const std::string text{"God\0created", 11};
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), " " + text);
  const auto message = test::data_error_of([&] { (void)tokenizer->encode("abc\xFFxyz"); });
  EXPECT_NE(message.find("byte 3 (0xff)"), std::string::npos) << message;
}

}  // namespace
}  // namespace ballast::data
