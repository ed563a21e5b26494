#include <gtest/gtest.h>
#include <numeric>

#include "data/code_points.hpp"
#include "data/sentencepiece_models.hpp"
#include "data/tokenizers/make_tokenizer.hpp"
#include "data/tokenizers/sentencepiece_trainer.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;
using test::foreign_model;
using test::prose;
using test::train;
using test::trained_model;
using test::utf8_of;

std::size_t raw_bytes(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::size_t bytes = 0;
  for (const std::int32_t id : ids) bytes += tokenizer.piece_bytes(id);
  return bytes;
}

void expect_round_trip(const Tokenizer& tokenizer, const std::string& text) {
  const auto ids = tokenizer.encode(text);
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_EQ(raw_bytes(tokenizer, ids), text.size()) << text;
}

std::vector<std::string> hostile_texts() {
  return {
      "",
      " ",
      "  a   b    ",
      " leading",
      "trailing ",
      "\n",
      "\r\n\r\nline\r\n",
      "\t tab \t\t and \v \f",
      "\n\n\n  \n \n",
      std::string("NUL\0NUL\0\0", 9),
      "\xE2\x96\x81",
      "a\xE2\x96\x81 \xE2\x96\x81\xE2\x96\x81"
      "b",
      "\xE2\x96\x85 \xE2\x81\x87",
      "\xEF\xBB\xBFmark of order",
      "<s></s><unk><pad><0x41><0xE2><0x0A>",
      "e\xCC\x81 \xC3\xA9 \xE2\x84\xAB \xEF\xAC\x81 \xEF\xBC\xA1\xEF\xBD\xB1",
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 "
      "\xF0\x9F\x8F\xB3\xEF\xB8\x8F",
      "\xC2\xA0\xE3\x80\x80\xE2\x80\x8B\xE2\x80\xA8\xE2\x80\xA9\xC2\x85\xC2\xAD",
      "\xD8\xA7\xD9\x84\xD8\xB9 \xD7\xA2 \xE2\x80\xAE rtl",
      std::string(70000, 'x'),
      std::string(40000, ' ') + "x",
      "x" + std::string(40000, '\n'),
  };
}

TEST(ByteTokenizer, IsTheBytesAndThreeSpecials) {
  const auto tokenizer = make_byte_tokenizer();
  std::string all(256, '\0');
  std::iota(all.begin(), all.end(), '\0');
  std::vector<std::int32_t> ids(256);
  std::iota(ids.begin(), ids.end(), 0);
  EXPECT_EQ(tokenizer->encode(all), ids);
  expect_round_trip(*tokenizer, all);
  EXPECT_EQ(tokenizer->vocabulary(), 259u);
  EXPECT_EQ(tokenizer->bos(), 256);
  EXPECT_EQ(tokenizer->eos(), 257);
  EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{256, 65, 258, 66, 257}), "AB");
  EXPECT_EQ(tokenizer->piece_bytes(258), 0u);
  (void)data_error_of([&] { (void)tokenizer->piece_bytes(259); });
  (void)data_error_of([&] { (void)tokenizer->decode(std::vector<std::int32_t>{-1}); });
}

TEST(SentencePiece, HostileTextComesBack) {
  const auto tokenizer = make_sentencepiece_tokenizer(trained_model());
  for (const auto& text : hostile_texts()) expect_round_trip(*tokenizer, text);
}

// All of the planes with assigned characters, a part of the others.
TEST(SentencePiece, CodePointsComeBack) {
  const auto tokenizer = make_sentencepiece_tokenizer(trained_model());
  std::string text;
  for (std::uint32_t code = 0; code <= 0x10FFFF; code += code < 0x20000 ? 1 : 37) {
    if (code < 0xD800 || code > 0xDFFF) text += utf8_of(code);
    if (text.size() < 4096) continue;
    ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text) << std::hex << code;
    text.clear();
  }
}

TEST(SentencePiece, LearnsWords) {
  const auto tokenizer = make_sentencepiece_tokenizer(trained_model());
  EXPECT_EQ(tokenizer->vocabulary(), 350u);
  EXPECT_EQ(tokenizer->encode("God created").size(), 2u) << "with the space in the second piece";
  EXPECT_EQ(tokenizer->encode("\n").size(), 1u);
  EXPECT_EQ(tokenizer->encode("\xE2\x96\x81").size(), 3u) << "the space's own mark goes as bytes";
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->eos(), 2);
  EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{0, 1, 2}), "");
  EXPECT_EQ(tokenizer->piece_bytes(1), 0u);
}

TEST(SentencePiece, LongTextIsTheSumOfItsPieces) {
  const auto tokenizer = make_sentencepiece_tokenizer(trained_model());
  const std::string text = prose(700) + std::string(40000, 'y') + prose(10);
  std::vector<std::int32_t> pieces;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t cut = encoding_cut(rest);
    const auto ids = tokenizer->encode(rest.substr(0, cut));
    pieces.insert(pieces.end(), ids.begin(), ids.end());
    rest.remove_prefix(cut);
  }
  EXPECT_EQ(tokenizer->encode(text), pieces);
  const std::string_view view = text;
  const auto before = tokenizer->encode(view.substr(0, view.find(" God")));
  const auto after = tokenizer->encode(view.substr(view.find(" God"), 500));
  auto both = before;
  both.insert(both.end(), after.begin(), after.end());
  EXPECT_EQ(tokenizer->encode(view.substr(0, view.find(" God") + 500)), both);
}

TEST(SentencePiece, SameTextSameModelAndHash) {
  EXPECT_EQ(train(350, prose(200)), trained_model());
  EXPECT_NE(train(350, prose(201)), trained_model());
  const auto tokenizer = make_tokenizer("sentencepiece", trained_model());
  EXPECT_EQ(tokenizer->model(), trained_model());
  EXPECT_NE(tokenizer_hash(*tokenizer), tokenizer_hash(*make_tokenizer("bytes", {})));
  (void)data_error_of([] { (void)make_tokenizer("wordpiece", {}); });
}

TEST(SentencePiece, BadUtf8IsNamedWithItsPlace) {
  const auto tokenizer = make_sentencepiece_tokenizer(trained_model());
  const auto message = data_error_of([&] { (void)tokenizer->encode("abc\xFFxyz"); });
  EXPECT_NE(message.find("byte 3 (0xff)"), std::string::npos) << message;
}

TEST(SentencePiece, TooLittleTextForTheVocabularyIsSaid) {
  testing::internal::CaptureStderr();
  const auto message = data_error_of([] { (void)train(5000, prose(3)); });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(message.find("5000"), std::string::npos) << message;
  EXPECT_NE(message.find("the text has pieces for"), std::string::npos) << message;
  (void)data_error_of([] { (void)train(300, "\n\n"); });
}

TEST(SentencePiece, ErrorsOfTheTextPassThroughTheTrainer) {
  const auto message = data_error_of([] {
    (void)train_sentencepiece(300, [](std::string&) -> bool { throw data_error("no such text"); });
  });
  EXPECT_EQ(message, "no such text");
}

TEST(SentencePiece, LossyModelsAreRefused) {
  const auto refusal = [](std::unordered_map<std::string, std::string> settings) {
    return data_error_of([&] { (void)make_sentencepiece_tokenizer(foreign_model(settings)); });
  };
  const std::unordered_map<std::string, std::string> lossless{
      {"byte_fallback", "true"},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"normalization_rule_name", "identity"}};
  (void)make_sentencepiece_tokenizer(foreign_model(lossless));
  const std::vector<std::array<std::string, 3>> cases{
      {"byte_fallback", "false", "byte fallback"},
      {"add_dummy_prefix", "true", "add_dummy_prefix"},
      {"remove_extra_whitespaces", "true", "remove_extra_whitespaces"},
      {"normalization_rule_name", "nmt_nfkc", "normalization_rule_name"}};
  for (const auto& [key, value, words] : cases) {
    auto settings = lossless;
    settings[key] = value;
    if (key == "byte_fallback") settings["vocab_size"] = "50";
    const auto message = refusal(settings);
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
}

TEST(SentencePiece, ModelsWhosePiecesCrossWordsRoundTripToo) {
  const auto model = foreign_model({{"byte_fallback", "true"},
                                    {"add_dummy_prefix", "false"},
                                    {"remove_extra_whitespaces", "false"},
                                    {"normalization_rule_name", "identity"},
                                    {"split_by_whitespace", "false"}});
  const auto tokenizer = make_sentencepiece_tokenizer(model);
  EXPECT_LT(tokenizer->encode("In the beginning God created the heaven and the earth").size(), 5u);
  for (const auto& text : hostile_texts()) expect_round_trip(*tokenizer, text);
}

TEST(SentencePiece, GarbageIsNoModelAndPrintsNothing) {
  testing::internal::CaptureStderr();
  auto damaged = trained_model();
  damaged.resize(damaged.size() / 2);
  for (const auto& bytes :
       {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>(100, 0xFF), damaged}) {
    (void)data_error_of([&] { (void)make_sentencepiece_tokenizer(bytes); });
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(EncodingCut, PrefersLinesThenSpacesThenCharacters) {
  EXPECT_EQ(encoding_cut("short"), 5u);
  EXPECT_EQ(encoding_cut("a b\nc d", 6), 4u);
  EXPECT_EQ(encoding_cut("aa   bbbb", 7), 2u);
  EXPECT_EQ(encoding_cut("\xE2\x82\xAC\xE2\x82\xAC", 5), 3u);
  EXPECT_EQ(encoding_cut("\xE2\x82\xAC", 2), 2u);
}

}  // namespace
}  // namespace ballast::data
