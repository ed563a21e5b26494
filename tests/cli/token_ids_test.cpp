#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/invoke.hpp"

namespace ballast::cli {
namespace {

using test::fresh_folder;
using test::invoke;
using test::Launch;
using test::Outcome;
using test::read_file;
using test::write_file;

using Words = std::vector<std::string>;

/// A model of 64 tokens in a Hugging Face folder (tests/fixtures/README.md).
const std::string kModel = BALLAST_FIXTURES "/models/llama";

std::string succeed(const Words& words, const Launch& launch = {}) {
  const Outcome outcome = invoke(words, launch);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome.out;
}

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << "\nin: " << text;
}

void expect_refused(const Words& words, const std::string& why) {
  const Outcome outcome = invoke(words);
  EXPECT_EQ(outcome.exit_code, 2) << outcome.out;
  EXPECT_EQ(outcome.out, "");
  expect_in(outcome.err, why);
}

/// Documents of 60 tokens below 64, as a dataset.
class TokenIds : public testing::Test {
 protected:
  void SetUp() override {
    std::string lines;
    for (unsigned document = 0, state = 1; document < 60; ++document) {
      lines += "{\"ids\": [0";
      for (int t = 1; t < 60; ++t) {
        state = state * 1664525u + 1013904223u;
        lines += fmt::format(",{}", state >> 26);
      }
      lines += "]}\n";
    }
    write_file(folder_ + "/ids.jsonl", lines);
    prepared_ = succeed({"prepare", folder_ + "/ids.jsonl", "--tokenizer", "ids:64", "--split",
                         "documents", "--output", data_});
  }
  [[nodiscard]] Words score(const Words& more) const {
    Words words{"score", "--checkpoint", kModel};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::string folder_ = fresh_folder();
  std::string data_ = folder_ + "/ids.h5";
  std::string prepared_;
};

TEST_F(TokenIds, AreCountedAsWhatTheyAre) {
  expect_in(prepared_, "ids.h5: 3,600 token ids from 1 source in ");
  expect_in(prepared_, "1 file of JSON lines: 60 documents; no token is added between them\n");
  expect_in(prepared_, "  validation  180 tokens\n");
  const std::string inspected = succeed({"inspect", data_});
  expect_in(inspected, "tokenizer          ids\n");
  EXPECT_EQ(inspected.find("bytes"), std::string::npos) << inspected;
}

TEST_F(TokenIds, TrainAModelWhoseTokenizerIsNotKnown) {
  const std::string run = folder_ + "/run";
  const std::string trained =
      succeed({"train", "--run.init", kModel, "--data.path", data_, "--run.dir", run, "--run.steps",
               "2", "--eval.every", "1", "--log.every", "1", "--data.seq_len", "24",
               "--data.micro_batch", "1", "--data.global_batch", "4"},
              {.ranks = 2});
  expect_in(trained, ", - bits/byte");
  expect_in(read_file(run + "/log.jsonl"), "\"val_bits_per_byte\":null");
  expect_in(succeed({"eval", "--checkpoint", run}), " nats/token, - bits/byte\n");
  (void)succeed({"report", run});
  const std::string text =
      succeed({"generate", "--checkpoint", run, "--prompt-ids", "5 6 7", "--tokens", "4"});
  EXPECT_TRUE(text.starts_with("5 6 7 ")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 6) << text;
  expect_refused({"generate", "--checkpoint", run, "--prompt", "words"}, "--prompt-ids");
}

TEST_F(TokenIds, AreScoredInTheSameBytesAtAnyRankCount) {
  const Words words = score({"--data", data_, "--seq-len", "16", "--micro-batch", "2"});
  const std::string alone = succeed(words);
  EXPECT_TRUE(alone.starts_with("{\"window\":0,\"tokens\":[0,"));
  EXPECT_EQ(std::count(alone.begin(), alone.end(), '\n'), 12);  // 3 documents of 4 windows
  EXPECT_EQ(succeed(words, {.ranks = 3}), alone);
  const std::string text = succeed(score({"--tokens", "1 2 3"}), {.ranks = 2});
  EXPECT_TRUE(text.starts_with("{\"tokens\":[1,2,3],\"logprobs\":[null,-")) << text;
}

TEST_F(TokenIds, ScoresThatNobodyTakesEndWithACode) {
  const Outcome outcome = invoke(score({"--data", data_, "--seq-len", "16"}),
                                 {.launcher = "sh -c 'exec \"$@\" >/dev/full' sh"});
  EXPECT_EQ(outcome.exit_code, 3);
  expect_in(outcome.err, "cannot write to standard output");
}

/// Its numbers are those of another implementation (tests/fixtures/README.md), for one window.
TEST_F(TokenIds, TheFirstStepOfATrainingHasTheLossAndGradientOfAnotherImplementation) {
  for (const char* name : {"llama", "qwen3"}) {
    const std::string model = std::string{BALLAST_FIXTURES "/models/"} + name;
    const auto expected = nlohmann::json::parse(read_file(model + "/expected.json"));
    auto ids = expected.at("tokens");
    for (int i = 0; i < 30; ++i) ids.push_back(ids[0]);  // 51 of all are for the training
    const std::string base = folder_ + "/" + name;
    write_file(base + ".jsonl", nlohmann::json{{"ids", ids}}.dump() + "\n");
    (void)succeed({"prepare", base + ".jsonl", "--tokenizer", "ids:64", "--split", "tail",
                   "--validation-fraction", "0.35", "--output", base + ".h5"});
    (void)succeed({"train", "--run.init", model, "--data.path", base + ".h5", "--run.dir", base,
                   "--run.steps", "1", "--data.seq_len", "47", "--data.micro_batch", "1",
                   "--data.global_batch", "1", "--log.every", "1", "--eval.every", "0"},
                  {.ranks = 2});
    const auto step = nlohmann::json::parse(read_file(base + "/log.jsonl"));
    EXPECT_NEAR(step.at("loss").get<double>(),
                expected.at("mean_loss_of_next_tokens").get<double>(), 1e-6);
    EXPECT_NEAR(step.at("grad_norm").get<double>(),
                expected.at("gradient_norm_of_that_loss").get<double>(), 1e-5);
  }
}

TEST_F(TokenIds, ScoresGoToANewFile) {
  const std::string file = folder_ + "/scores.jsonl";
  const Words words = score({"--data", data_, "--seq-len", "16", "--top", "2"});
  Words to_file = words;
  to_file.insert(to_file.end(), {"--output", file});
  EXPECT_EQ(succeed(to_file, {.ranks = 2}), "");
  EXPECT_EQ(read_file(file), succeed(words));
  expect_in(read_file(file), ",\"top\":[null,[[");
  expect_refused(to_file, "is there: name a new file");
}

TEST_F(TokenIds, ARunKeepsWhereItsFirstModelIsWhateverItsFolder) {
  const std::string run = folder_ + "/run";
  const Words words{"train", "--run.init",         "model", "--data.path",
                    data_,   "--run.dir",          run,     "--data.seq_len",
                    "24",    "--data.micro_batch", "1",     "--data.global_batch",
                    "2",     "--run.steps",        "2"};
  Words part = words;
  part.insert(part.end(), {"--run.stop_at", "1"});
  std::filesystem::create_directory_symlink(kModel, folder_ + "/model");
  (void)succeed(part, {.launcher = "sh -c 'cd " + folder_ + " && exec \"$@\"' sh"});
  expect_in(read_file(run + "/config.resolved.ini"), "\ninit = " + folder_ + "/model\n");
  Words rest = words;
  rest[2] = folder_ + "/model";
  rest.insert(rest.end(), {"--checkpoint.resume", "true"});
  std::filesystem::create_directory(folder_ + "/elsewhere");
  const std::string resumed =
      succeed(rest, {.launcher = "sh -c 'cd " + folder_ + "/elsewhere && exec \"$@\"' sh"});
  expect_in(resumed, "resumed from ");
  EXPECT_EQ(resumed.find("run.init"), std::string::npos) << resumed;
}

TEST_F(TokenIds, OptionsThatContradictEachOtherAreRefused) {
  expect_refused(score({}), "one of --tokens, --prompt and --data");
  expect_refused(score({"--tokens", "1 2", "--data", data_}), "one of --tokens");
  expect_refused(score({"--tokens", "1 2", "--seq-len", "8"}), "windows of --data");
  expect_refused(score({"--tokens", "1,2"}), "blanks between them");
  expect_refused(score({"--tokens", "1 64"}), "not below the model's vocabulary of 64");
  expect_refused(score({"--prompt", "words"}), "--tokens");
  expect_refused({"generate", "--checkpoint", kModel, "--prompt", "a", "--prompt-ids", "1"},
                 "choose one");
}

TEST_F(TokenIds, AProfileHasTheWeightsThatATrainingBeginsWith) {
  const Words words{"monitor", "profile",          "--data.path", data_,        "--data.seq_len",
                    "24",      "--monitor.tokens", "120",         "--run.init", kModel};
  const std::string profile = succeed(words);
  expect_in(profile, "weights of " + kModel);
  EXPECT_EQ(succeed(words, {.ranks = 2}), profile);
  const std::string fresh =
      succeed({"monitor", "profile", "--data.path", data_, "--data.seq_len", "24",
               "--monitor.tokens", "120", "--model.dim", "32", "--model.layers", "2",
               "--model.kv_heads", "2", "--model.ffn", "48"});
  const auto rows = [](const std::string& text) { return text.substr(text.find("\nblock")); };
  EXPECT_NE(rows(fresh), rows(profile));
}

TEST(Inspect, SaysWhatAHuggingFaceFolderIsMadeOf) {
  const std::string text = succeed({"inspect", kModel});
  for (const char* line :
       {"family               llama\n", "19616 in 21 tensors\n", "dtype                F32\n",
        "files                1 (", "eos_token_id         2\n", "  model.layers = 2\n"}) {
    expect_in(text, line);
  }
}

TEST(Inspect, ChecksEveryHeaderOfAFolder) {
  const std::string folder = fresh_folder();
  write_file(folder + "/config.json", read_file(kModel + "/config.json"));
  std::string weights = read_file(kModel + "/model.safetensors");
  const auto at = weights.find("[32,48]");
  ASSERT_NE(at, std::string::npos);
  weights.replace(at, 7, "[48,32]");
  write_file(folder + "/model.safetensors", weights);
  const Outcome outcome = invoke({"inspect", folder});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.out, "");
  expect_in(outcome.err, "of another shape (1): ");
}

}  // namespace
}  // namespace ballast::cli
