#include <gtest/gtest.h>

#include "base/error.hpp"
#include "cli/training_config.hpp"

namespace ballast::cli {
namespace {

using Words = std::vector<std::string>;
using Ranks = std::vector<std::size_t>;

std::string no_file(const std::filesystem::path& path) {
  throw usage_error("{} was not to be read", path.string());
}

/// A saved model, as the [model] section of a file.
std::string small_model(const std::filesystem::path& path) {
  EXPECT_EQ(path, "some/model");
  return "[model]\ndim = 96\nheads = 6\nrope_base = 500000\nvocabulary = 77\n";
}

TrainRequest request_of(Words words) {
  words.insert(words.end(), {"--data.path", "corpus.h5"});
  return read_train_request(words, {no_file, small_model});
}

std::string message_of(const Words& words) {
  try {
    (void)request_of(words);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "accepted";
}

TEST(TrainRequest, ADryRunNeedsNoRunDirectory) {
  const auto request = request_of({"--dry-run"});
  EXPECT_TRUE(request.is_dry);
  EXPECT_FALSE(request.ranks);
  EXPECT_FALSE(request.ranks_per_host);
  EXPECT_NE(message_of({}).find("--run.dir FOLDER is missing"), std::string::npos);
}

TEST(TrainRequest, AModelToBeginWithGivesItsShape) {
  const auto& config =
      request_of({"--run.dir", "r", "--run.init", "some/model", "--model.document_attention=true"})
          .config;
  EXPECT_EQ(config.model.dim, 96u);
  EXPECT_EQ(config.model.heads, 6u);
  EXPECT_EQ(config.model.rope.base, 500000.0);
  EXPECT_EQ(config.model.vocabulary, 77u);
  EXPECT_TRUE(config.model.document_attention) << "how it is trained is nobody else's choice";
}

TEST(TrainRequest, KeysMayRepeatTheModelToBeginWithButNotContradictIt) {
  const Words init{"--run.dir", "r", "--run.init", "some/model"};
  const auto with = [&](const char* key) {
    Words words = init;
    words.emplace_back(key);
    return message_of(words);
  };
  EXPECT_EQ(with("--model.rope_base=5e5"), "accepted");
  EXPECT_EQ(with("--model.dim=64"),
            "model.dim = 64 contradicts the model of run.init, where it is 96: leave it out");
}

TEST(TrainRequest, RankCountsComeAsAList) {
  EXPECT_EQ(request_of({"--dry-run", "--ranks", "6"}).ranks, Ranks{6});
  EXPECT_EQ(request_of({"--dry-run", "--ranks=1,3,65536"}).ranks, (Ranks{1, 3, 65536}));
  EXPECT_EQ(request_of({"--dry-run", "--ranks-per-host", "2"}).ranks_per_host, 2u);
  for (const char* bad : {"0", "65537", "1,", ",1", "1,,2", "1 2", "-1", "two"}) {
    EXPECT_NE(message_of({"--dry-run", std::string{"--ranks="} + bad}).find("whole numbers"),
              std::string::npos)
        << bad;
  }
  EXPECT_NE(message_of({"--dry-run", "--ranks="}), "accepted");
}

TEST(TrainRequest, RankCountsBelongToADryRun) {
  EXPECT_NE(message_of({"--run.dir", "r", "--ranks", "2"}).find("--dry-run"), std::string::npos);
  EXPECT_NE(message_of({"--run.dir", "r", "--ranks-per-host", "2"}).find("--dry-run"),
            std::string::npos);
}

TEST(TrainRequest, TheArgumentsSayWhetherItIsDry) {
  EXPECT_TRUE(asks_for_dry_run(Words{"--run.dir", "r", "--dry-run"}));
  EXPECT_FALSE(asks_for_dry_run(Words{"--run.dir", "dry-run"}));
}

}  // namespace
}  // namespace ballast::cli
