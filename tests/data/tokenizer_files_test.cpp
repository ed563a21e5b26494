#include "data/tokenizers/tokenizer_files.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "data/sentencepiece_models.hpp"
#include "data/tokenizers/chat_template.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "data/tokenizers/make_tokenizer.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

namespace fs = std::filesystem;
using test::data_error_of;
using Bytes = std::vector<std::uint8_t>;

class TokenizerFilesTest : public testing::Test {
 protected:
  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{folder() / name, std::ios::binary} << text;
  }

 private:
  test::TemporaryFolder folder_;
};

std::string model_text() {
  const Bytes model = test::foreign_model({{"byte_fallback", "true"},
                                           {"remove_extra_whitespaces", "false"},
                                           {"normalization_rule_name", "identity"}});
  return {model.begin(), model.end()};
}

TEST_F(TokenizerFilesTest, AreThoseOfAFolderAndComeBackFromOneFile) {
  write(kSentencePieceName, "a\nb");
  write(kTokenizerConfigName, "{}");
  write("config.json", "no tokenizer's");
  const TokenizerFiles expected{{kSentencePieceName, "a\nb"}, {kTokenizerConfigName, "{}"}};
  EXPECT_EQ(read_tokenizer_files(folder()), expected);
  EXPECT_EQ(read_tokenizer_files(folder() / kSentencePieceName), expected);
  EXPECT_EQ(unpack_tokenizer_files(pack(expected)), expected);
  EXPECT_EQ(pack(unpack_tokenizer_files(pack(expected))), pack(expected));
}

TEST_F(TokenizerFilesTest, AFileOfAnotherNameStandsForItself) {
  write("mine.json", "{}");
  write("mine.model", "x");
  EXPECT_EQ(read_tokenizer_files(folder() / "mine.json"),
            (TokenizerFiles{{kTokenizerJsonName, "{}"}}));
  EXPECT_EQ(read_tokenizer_files(folder() / "mine.model"),
            (TokenizerFiles{{kSentencePieceName, "x"}}));
}

TEST_F(TokenizerFilesTest, AFolderWithoutOneSaysSo) {
  test::expect_contains(data_error_of([&] { (void)read_tokenizer_files(folder()); }),
                        "neither tokenizer.json nor tokenizer.model");
  write("vocab.json", "{}");
  write("merges.txt", "");
  test::expect_contains(data_error_of([&] { (void)read_tokenizer_files(folder()); }),
                        "save it once more with transformers");
}

TEST_F(TokenizerFilesTest, ALinkOutOfTheFolderIsNotFollowed) {
  fs::create_symlink("/etc/hostname", folder() / kTokenizerJsonName);
  test::expect_contains(data_error_of([&] { (void)read_tokenizer_files(folder()); }),
                        "outside of its folder");
}

TEST(PackedTokenizerFiles, OfAStrangerAreRefused) {
  const auto refusal = [](const std::string& text) {
    return data_error_of([&] { (void)unpack_tokenizer_files(Bytes{text.begin(), text.end()}); });
  };
  (void)refusal("");
  (void)refusal("{}\n");
  (void)refusal("{\"tokenizer_files\": [1]}\n");
  test::expect_contains(refusal("{\"tokenizer_files\": {\"a\": 5}}\n1234"), "a ends before");
  test::expect_contains(refusal("{\"tokenizer_files\": {\"a\": 3}}\n1234"), "1 bytes follow");
  test::expect_contains(refusal("{\"tokenizer_files\": {\"a\": 18446744073709551615}}\n1234"),
                        "ends before");
  (void)refusal("{\"tokenizer_files\": {\"a\": -1}}\n1234");
}

TEST(HuggingFaceTokenizer, TakesRolesFromItsFiles) {
  const TokenizerFiles alone{{kSentencePieceName, model_text()}};
  const auto plain = make_huggingface_tokenizer(alone);
  EXPECT_EQ(plain->bos(), 1);
  EXPECT_EQ(plain->eos(), 2);
  EXPECT_EQ(std::vector(plain->prompt_start().begin(), plain->prompt_start().end()),
            std::vector<std::int32_t>{1});

  TokenizerFiles files = alone;
  files[kTokenizerConfigName] =
      R"({"add_bos_token": false, "bos_token": null, "eos_token": {"content": "<unk>"}})";
  files[kGenerationConfigName] = R"({"bos_token_id": 5, "pad_token_id": [7, 8]})";
  const auto changed = make_huggingface_tokenizer(files);
  EXPECT_EQ(changed->bos(), 5);
  EXPECT_EQ(changed->eos(), 0);
  EXPECT_TRUE(changed->prompt_start().empty());

  const auto again = make_tokenizer(changed->name(), changed->model());
  EXPECT_EQ(again->eos(), 0);
  EXPECT_EQ(again->encode("God created"), changed->encode("God created"));
  EXPECT_EQ(tokenizer_hash(*again), tokenizer_hash(*changed));
  EXPECT_EQ(tokenizer_hash(*plain), tokenizer_hash(*changed)) << "the same rules";
  EXPECT_EQ(tokenizer_hash(*plain), tokenizer_hash(*make_published_sentencepiece(plain->rules())));
}

TEST(HuggingFaceTokenizer, RefusesRolesThatAreNoTokens) {
  TokenizerFiles files{{kSentencePieceName, model_text()}};
  files[kTokenizerConfigName] = R"({"eos_token": "<|nowhere|>"})";
  test::expect_contains(data_error_of([&] { (void)make_huggingface_tokenizer(files); }),
                        "tokenizer_config.json: eos_token is '<|nowhere|>'");
  files[kTokenizerConfigName] = "{";
  test::expect_contains(data_error_of([&] { (void)make_huggingface_tokenizer(files); }),
                        "tokenizer_config.json: not valid JSON");
  files[kTokenizerConfigName] = "{}";
  files[kGenerationConfigName] = R"({"bos_token_id": 100000})";
  test::expect_contains(data_error_of([&] { (void)make_huggingface_tokenizer(files); }),
                        "bos_token_id is 100000, but the tokenizer has 330 tokens");
  (void)data_error_of([] { (void)make_huggingface_tokenizer({}); });
}

TEST(HuggingFaceTokenizer, PutsWhatBeginsAPromptThereOnce) {
  const auto tokenizer = make_huggingface_tokenizer({{kSentencePieceName, model_text()}});
  auto expected = tokenizer->encode("God");
  expected.insert(expected.begin(), 1);
  EXPECT_EQ(tokenizer->encode_prompt("God"), expected);
  EXPECT_EQ(tokenizer->encode_prompt("<s>God"), tokenizer->encode("<s>God"));
  EXPECT_EQ(tokenizer->encode_prompt(""), std::vector<std::int32_t>{1});
}

TEST(ChatTemplate, IsFoundWhereItStands) {
  EXPECT_EQ(chat_template_of({}), "");
  TokenizerFiles files{{kTokenizerConfigName, R"({"chat_template": "{{ a }}"})"}};
  EXPECT_EQ(chat_template_of(files), "{{ a }}");
  files[kTokenizerConfigName] =
      R"({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]})";
  EXPECT_EQ(chat_template_of(files), "d");
  files["chat_template.json"] = R"({"chat_template": "j"})";
  EXPECT_EQ(chat_template_of(files), "j");
  files["chat_template.jinja"] = "x";
  EXPECT_EQ(chat_template_of(files), "x");
}

TEST(ChatTemplate, OfTheFourCommonFormatsIsKnown) {
  EXPECT_EQ(recognize_chat_format(""), ChatFormat::none);
  EXPECT_EQ(recognize_chat_format("{{'<|im_start|>' + role}}{{'<|im_end|>'}}"), ChatFormat::chatml);
  EXPECT_EQ(recognize_chat_format("<|start_header_id|> <|end_header_id|> <|eot_id|>"),
            ChatFormat::llama3);
  EXPECT_EQ(recognize_chat_format("[INST] {{ m }} [/INST]"), ChatFormat::mistral);
  EXPECT_EQ(recognize_chat_format("'<|user|>\n' + '<|assistant|>'"), ChatFormat::zephyr);
  EXPECT_EQ(recognize_chat_format("### Instruction:"), ChatFormat::other);
  EXPECT_EQ(recognize_chat_format("<|im_start|><|im_end|>[INST][/INST]"), ChatFormat::other);
}

}  // namespace
}  // namespace ballast::data
