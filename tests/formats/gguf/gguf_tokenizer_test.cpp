#include "formats/gguf/gguf_tokenizer.hpp"

#include <gtest/gtest.h>

#include "data/bpe/piece.hpp"
#include "data/bpe/tokenizer_json.hpp"
#include "data/sentencepiece_models.hpp"
#include "data/tokenizers/byte_tokenizer_files.hpp"
#include "data/tokenizers/chat_template.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "formats/gguf/made_up_gguf.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::formats {
namespace {

using data::PieceKind;
using data::TokenizerFiles;
using test::data_error_of;
using test::expect_contains;
using Ids = std::vector<std::int32_t>;
using Strings = std::vector<std::string>;

const std::filesystem::path kFile{"model.gguf"};

template <class Element>
const std::vector<Element>& list(const GgufMetadata& keys, const std::string& key) {
  const GgufValue* value = GgufKeys{kFile, keys}.find(key);
  return std::get<std::vector<Element>>(std::get<GgufArray>(*value));
}

/// A few merges on top of the bytes, with what stands around texts.
data::TokenizerContent small_content() {
  auto content = *data::make_byte_tokenizer()->content();
  content.pre_tokenizer = "llama-bpe";
  for (const char* piece : {"th", "the", "\xC4\xA0the"}) content.entries.push_back({piece});
  content.entries.push_back({"<tool>", PieceKind::user_defined});
  content.merges = {"t h", "th e", "\xC4\xA0 the"};
  return content;
}

TokenizerFiles small_files(const Ids& start = {256}) {
  return {
      {data::kTokenizerJsonName, data::tokenizer_json(small_content(), start)},
      {data::kTokenizerConfigName,
       R"({"bos_token": "<bos>", "eos_token": "<eos>", "chat_template": "{{ [INST][/INST] }}"})"}};
}

GgufMetadata keys_of(const TokenizerFiles& files, std::size_t rows) {
  return gguf_tokenizer_keys(*data::make_huggingface_tokenizer(files),
                             {.rows = rows,
                              .special = {.bos = {}, .eos = {}, .pad = 258},
                              .chat_template = data::chat_template_of(files)});
}

void expect_same_tokens(const data::Tokenizer& a, const data::Tokenizer& b) {
  for (const char* text : {"the other, then", " the\n\nthe 123<tool>the<eos>", "größer 東京", ""}) {
    EXPECT_EQ(a.encode_prompt(text), b.encode_prompt(text)) << text;
  }
  EXPECT_EQ(a.bos(), b.bos());
  EXPECT_EQ(a.eos(), b.eos());
}

TEST(GgufTokenizer, ByteLevelGoesInAndComesOutAgain) {
  const auto tokenizer = data::make_huggingface_tokenizer(small_files());
  const auto keys = keys_of(small_files(), 270);
  EXPECT_EQ(GgufKeys(kFile, keys).text("tokenizer.ggml.model", ""), "gpt2");
  EXPECT_EQ(GgufKeys(kFile, keys).text("tokenizer.ggml.pre", ""), "llama-bpe");
  EXPECT_EQ(GgufKeys(kFile, keys).id("tokenizer.ggml.padding_token_id"), 258);
  EXPECT_TRUE(GgufKeys(kFile, keys).boolean("tokenizer.ggml.add_bos_token", false));
  const auto& tokens = list<std::string>(keys, "tokenizer.ggml.tokens");
  const auto& kinds = list<std::int32_t>(keys, "tokenizer.ggml.token_type");
  ASSERT_EQ(tokens.size(), 270u);
  EXPECT_EQ(tokens[263], "[PAD263]");
  EXPECT_EQ((Ids{kinds[0], kinds[256], kinds[262], kinds[263]}), (Ids{1, 3, 4, 5}));
  EXPECT_EQ(list<std::string>(keys, "tokenizer.ggml.merges"), small_content().merges);

  const auto files = gguf_tokenizer_files({kFile, keys});
  expect_same_tokens(*data::make_huggingface_tokenizer(files), *tokenizer);
  EXPECT_EQ(data::chat_template_of(files), "{{ [INST][/INST] }}");
  EXPECT_EQ(data::make_huggingface_tokenizer(files)->vocabulary(), 263u);
}

TEST(GgufTokenizer, BytesHaveTheMergeThatLlamaCppWantsAndLoseItAgain) {
  const auto keys = keys_of(data::byte_tokenizer_files(), 259);
  EXPECT_EQ(list<std::string>(keys, "tokenizer.ggml.merges").size(), 1u);
  const auto again = data::make_huggingface_tokenizer(gguf_tokenizer_files({kFile, keys}));
  const std::string text{"zero \0\0 bytes\xC3\xB6", 15};
  Ids bytes;
  for (const char byte : text) bytes.push_back(static_cast<unsigned char>(byte));
  EXPECT_EQ(again->encode(text), bytes);
  EXPECT_EQ(again->bos(), 256);
  EXPECT_EQ(again->eos(), 257);
  EXPECT_TRUE(again->prompt_start().empty());
}

TEST(GgufTokenizer, SentencePieceGoesInAndComesOutAgain) {
  for (const char* prefix : {"true", "false"}) {
    const auto model = test::foreign_model({{"byte_fallback", "true"},
                                            {"remove_extra_whitespaces", "false"},
                                            {"normalization_rule_name", "identity"},
                                            {"add_dummy_prefix", prefix}});
    const TokenizerFiles files{{data::kSentencePieceName, std::string{model.begin(), model.end()}}};
    const auto tokenizer = data::make_huggingface_tokenizer(files);
    const auto keys = keys_of(files, 333);
    EXPECT_EQ(GgufKeys(kFile, keys).text("tokenizer.ggml.model", ""), "llama");
    EXPECT_FALSE(GgufKeys(kFile, keys).has("tokenizer.ggml.merges"));
    EXPECT_EQ(list<float>(keys, "tokenizer.ggml.scores").size(), 333u);
    const auto again = data::make_huggingface_tokenizer(gguf_tokenizer_files({kFile, keys}));
    expect_same_tokens(*again, *tokenizer);
    EXPECT_EQ(again->encode("God created  the heaven"),
              tokenizer->encode("God created  the heaven"));
  }
}

TEST(GgufTokenizer, IsTakenFromAFileOrAFolder) {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.gguf";
  const auto keys = keys_of(small_files(), 270);
  test::write_bytes(path, test::tokenizer_gguf(keys).bytes());
  EXPECT_EQ(tokenizer_files_at(path), gguf_tokenizer_files({kFile, keys}));
  for (const auto& [name, text] : small_files()) test::write_bytes(folder / name, text);
  EXPECT_EQ(tokenizer_files_at(folder.path()), small_files());
  test::write_bytes(path, test::MadeUpGguf{}.bytes());
  expect_contains(data_error_of([&] { (void)tokenizer_files_at(path); }), "holds no tokenizer");
}

std::string refusal(const TokenizerFiles& files, std::size_t rows = 300) {
  try {
    (void)keys_of(files, rows);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(GgufTokenizer, WhatAFileCannotSayIsRefused) {
  expect_contains(refusal(small_files(), 200), "263 tokens, the model 200 rows");
  expect_contains(refusal(small_files({256, 257})), "begin with 2 tokens");
  auto content = small_content();
  content.entries.push_back({"[PAD264]", PieceKind::user_defined});
  TokenizerFiles files = small_files();
  files[data::kTokenizerJsonName] = data::tokenizer_json(content);
  expect_contains(refusal(files), "two tokens are written '[PAD264]'");
  const auto unigram = test::foreign_model({{"byte_fallback", "true"},
                                            {"remove_extra_whitespaces", "false"},
                                            {"normalization_rule_name", "identity"},
                                            {"model_type", "unigram"},
                                            {"vocab_size", "279"}});
  expect_contains(
      refusal({{data::kSentencePieceName, std::string{unigram.begin(), unigram.end()}}}),
      "unigram tokenizer");
}

std::string reading_refusal(GgufMetadata keys, const std::string& key, const GgufValue& value) {
  for (auto& entry : keys) {
    if (entry.key == key) entry.value = value;
  }
  return data_error_of([&] { (void)gguf_tokenizer_files({kFile, keys}); });
}

TEST(GgufTokenizer, OfAStrangerIsRefusedInWords) {
  const auto keys = keys_of(small_files(), 263);
  expect_contains(reading_refusal(keys, "tokenizer.ggml.model", std::string{"bert"}),
                  "known are gpt2 and llama");
  expect_contains(reading_refusal(keys, "tokenizer.ggml.pre", std::string{"unheard-of"}),
                  "'unheard-of', which is not known");
  expect_contains(reading_refusal(keys, "tokenizer.ggml.tokens", std::string{"text"}),
                  "tokenizer.ggml.tokens");
  expect_contains(reading_refusal(keys, "tokenizer.ggml.token_type", GgufArray{Ids{1, 2}}),
                  "has 2 elements for 263 tokens");
  expect_contains(reading_refusal(keys, "tokenizer.ggml.token_type", GgufArray{Ids(263, 9)}),
                  "has the kind 9");
  expect_contains(reading_refusal(keys, "tokenizer.ggml.tokens", GgufArray{Strings(263, "x")}),
                  "has 'x' twice");
  expect_contains(reading_refusal(keys, "tokenizer.ggml.eos_token_id", std::uint32_t{263}),
                  "is 263 of 263 tokens");
  EXPECT_TRUE(gguf_tokenizer_files({kFile, GgufMetadata{}}).empty());
  for (const char* list : {"tokenizer.ggml.tokens", "tokenizer.ggml.merges"}) {
    expect_contains(reading_refusal(keys, list, GgufArray{Strings{"a\xFF"}}), "is not UTF-8");
  }
  expect_contains(reading_refusal(keys, "tokenizer.ggml.tokens",
                                  GgufArray{Strings(data::kLargestBpeVocabulary + 1)}),
                  "has 1048577 elements; at most 1048576");
  expect_contains(reading_refusal(keys, "tokenizer.chat_template", std::string{"\xC3"}),
                  "tokenizer.chat_template");
}

}  // namespace
}  // namespace ballast::formats
