#include "base/json.hpp"
#include "data/prepared.hpp"
#include "data/tokenizers/byte_tokenizer_files.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"

namespace ballast::data {
namespace {

namespace fs = std::filesystem;

/// What BALLAST_FIXTURES has of a tokenizer, as a folder.
void make_folder(const fs::path& folder, const std::string& tokenizer, const std::string& config) {
  fs::create_directories(folder);
  fs::copy(fs::path{BALLAST_FIXTURES} / "tokenizers" / (tokenizer + ".json"),
           folder / kTokenizerJsonName);
  write_file(folder / kTokenizerConfigName, config);
}

std::vector<std::int32_t> tokens_of(const Dataset& dataset, const char* split) {
  return storage::H5Reader{dataset.path()}.read_all<std::int32_t>(std::string{split} + "/tokens");
}

TEST_F(Prepare, TakesTheTokenizerOfAFolder) {
  for (const char* name : {"llama3", "qwen2", "llama2"}) {
    const fs::path folder = folder_ / name;
    make_folder(folder, name, "{}");
    const std::string text = prose(3 * kBlock + 5);
    write_file(in("a.txt"), text);
    run({.inputs = {in("a.txt")},
         .tokenizer = folder.string(),
         .split = SplitRule::tail,
         .validation_fraction = 0});
    const Dataset dataset{output()};
    EXPECT_EQ(dataset.info().tokenizer, kHuggingFaceTokenizer);
    const auto tokenizer = make_huggingface_tokenizer(read_tokenizer_files(folder));
    EXPECT_EQ(dataset.info().tokenizer_hash, tokenizer_hash(*tokenizer));
    EXPECT_EQ(tokens_of(dataset, "train"), tokenizer->encode(text)) << name;
    EXPECT_EQ(unpack_tokenizer_files(dataset.tokenizer_model()), read_tokenizer_files(folder));
  }
}

TEST_F(Prepare, MarksDocumentsByTheOnlyTokenThatThereIs) {
  const fs::path folder = folder_ / "marks";
  make_folder(folder, "qwen2", R"({"bos_token": null})");
  write_file(in("a/1.txt"), "one");
  write_file(in("a/2.txt"), "two");
  expect_contains(error(in("a"), folder.string()), "no token that begins or ends a text");
  const auto content = make_huggingface_tokenizer(read_tokenizer_files(folder))->content();
  const auto& eos = content->entries[7].text;
  write_file(folder / kTokenizerConfigName, Json{{"eos_token", eos}}.dump());
  run({.inputs = {in("a")},
       .tokenizer = folder.string(),
       .split = SplitRule::tail,
       .validation_fraction = 0});
  EXPECT_EQ(tokens_of(Dataset{output()}, "train").front(), 7);
}

TEST_F(Prepare, TrainsBytePairsOnTrainingText) {
  write_file(in("a.txt"), prose(20 * kBlock));
  run(in("a.txt"), "bpe:300");
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.dataset.info().tokenizer, kHuggingFaceTokenizer);
  EXPECT_EQ(prepared.dataset.info().vocabulary, 300u);
  EXPECT_EQ(prepared.train[0] + prepared.validation[0], prose(20 * kBlock));
  EXPECT_LT(tokens_of(prepared.dataset, "train").size(), 19 * kBlock / 2);
  for (const char* wrong : {"bpe:", "bpe:12", "bpe:x", "bpe:99999999999999999999"}) {
    try {
      run(in("a.txt"), wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& usage) {
      EXPECT_EQ(usage.code(), ExitCode::usage);
      expect_contains(usage.what(), "--tokenizer bpe:VOCAB takes a vocabulary of 288 to");
    }
  }
}

TEST_F(Prepare, GivesTheSameDatasetOnAnyNumberOfThreads) {
  for (std::size_t i = 0; i < 40; ++i) {
    write_file(in(fmt::format("a/{}.txt", i)), prose(i * i * 37));
  }
  for (const char* tokenizer : {"bytes", "bpe:300", "sentencepiece:320"}) {
    std::string expected;
    for (const std::uint64_t threads : {1u, 2u, 5u}) {
      run({.inputs = {in("a")},
           .tokenizer = tokenizer,
           .split = SplitRule::documents,
           .threads = threads});
      const std::string hash = Dataset{output()}.info().content_hash;
      if (expected.empty()) expected = hash;
      EXPECT_EQ(hash, expected) << tokenizer << ' ' << threads;
    }
  }
}

TEST_F(Prepare, NamesWhatOfATokenizerIsNotKnown) {
  write_file(in("a.txt"), "text");
  write_file(in("t/tokenizer.json"), "{}");
  expect_contains(error(in("a.txt"), in("t")), "tokenizer.json: ");
  expect_contains(error(in("a.txt"), in("nowhere")), "nor an existing folder or file");
  fs::create_directories(folder_ / "empty");
  expect_contains(error(in("a.txt"), in("empty")), "neither tokenizer.json nor tokenizer.model");
}

TEST(ByteTokenizerFiles, GiveBytesTheirOwnIds) {
  const auto tokenizer = make_huggingface_tokenizer(byte_tokenizer_files());
  const auto bytes = make_byte_tokenizer();
  const std::string text = prose(5000) + std::string{"\0\0\0 \r\n", 6};
  EXPECT_EQ(tokenizer->encode(text), bytes->encode(text));
  EXPECT_EQ(tokenizer->vocabulary(), bytes->vocabulary());
  EXPECT_EQ(tokenizer->bos(), bytes->bos());
  EXPECT_EQ(tokenizer->eos(), bytes->eos());
  EXPECT_EQ(tokenizer_hash(*tokenizer), tokenizer_hash(*bytes)) << "known again";
}

}  // namespace
}  // namespace ballast::data
