#include <filesystem>
#include <gtest/gtest.h>

#include "jobs/bad_input.hpp"

namespace ballast::test {
namespace {

/// Jobs whose ranks were not started alike: refused before the first step, with both sides named.
class Agreement : public BadInput {
 protected:
  /// Rank 0 gets `zero` after the common words, the others get `others`.
  [[nodiscard]] Outcome train_with(const std::string& zero, const std::string& others) const {
    const std::string script = "if [ \"$OMPI_COMM_WORLD_RANK\" = 0 ]; then\n  set -- \"$@\" " +
                               zero + "\nelse\n  set -- \"$@\" " + others + "\nfi";
    return invoke(train_command(keys_), {.launcher = wrapped(folder_, GetParam(), script)});
  }
  void expect_refused(const std::string& key, const std::string& zero, const std::string& others) {
    keys_.erase(key);
    const auto option = [&](const std::string& value) { return "--" + key + " '" + value + "'"; };
    const auto outcome = train_with(option(zero), option(others));
    expect_error(outcome, kUsage,
                 {key + ": rank 0/" + std::to_string(GetParam()), " has " + zero + ", rank 1/",
                  " has " + others, "start all ranks with the same command"});
    EXPECT_EQ(outcome.out.find("step 1/"), std::string::npos);
  }
  /// Another dataset of the same shape.
  [[nodiscard]] std::string other_dataset(std::size_t bytes) const {
    std::filesystem::create_directory(folder_ + "/other");
    return make_dataset(folder_ + "/other", bytes);
  }
};

TEST_P(Agreement, KeysThatChangeBits) {
  expect_refused("optim.lr", "0.01", "0.001");
  expect_refused("run.seed", "3", "4");
}

TEST_P(Agreement, KeysThatChangeWhatRanksDoTogether) {
  expect_refused("checkpoint.every", "1", "2");
  expect_refused("data.global_batch", "24", "12");
  expect_refused("monitor.every", "0", "5");
  expect_refused("log.every", "1", "3");
  expect_refused("run.dir", folder_ + "/a", folder_ + "/b");
}

TEST_P(Agreement, ConfigurationFiles) {
  write_file(folder_ + "/a.ini", "[optim]\nbeta2 = 0.9\n");
  expect_error(train_with("--config " + folder_ + "/a.ini", ""), kUsage,
               {"config: rank 0/", "a.ini", "has nothing"});
}

TEST_P(Agreement, WhatOneRankAloneCannotRead) {
  expect_error(train_with("", "--optim.beta2 much"), kUsage, {"[rank 1/", "optim.beta2", "much"});
  keys_.erase("data.path");
  expect_error(train_with("--data.path " + data_, ""), kUsage, {"[rank 1/", "data.path"});
}

TEST_P(Agreement, Datasets) {
  keys_.erase("data.path");
  const std::string other = other_dataset(400000 - 24);
  expect_error(train_with("--data.path " + data_, "--data.path " + other), kData,
               {"dataset, content hash: rank 0/", "in '" + data_ + "'", "in '" + other + "'"});
}

TEST_P(Agreement, CopiesOfADatasetAndThreadsMayDiffer) {
  keys_.erase("data.path");
  std::filesystem::copy_file(data_, folder_ + "/copy.h5");
  const auto outcome = train_with("--parallel.threads 2 --data.path " + data_,
                                  "--parallel.threads 1 --data.path " + folder_ + "/copy.h5");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST_P(Agreement, ACopyThatIsDamagedOnOneRank) {
  keys_.erase("data.path");
  auto bytes = read_file(data_);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 8);
  write_file(folder_ + "/copy.h5", bytes);
  expect_error(train_with("--data.path " + data_, "--data.path " + folder_ + "/copy.h5"), kData,
               {"copy.h5' is damaged", "'train/tokens'"});
}

TEST_P(Agreement, CheckpointsToResume) {
  keys_["checkpoint.every"] = "1";
  train_well();
  for (const char* name : {"a", "b"}) std::filesystem::create_directory(folder_ + "/" + name);
  const std::string steps = folder_ + "/run/checkpoints/step-";
  std::filesystem::copy(steps + "1", folder_ + "/a/from");
  std::filesystem::copy(steps + "2", folder_ + "/b/from");
  keys_["run.dir"] = folder_ + "/next";
  keys_["checkpoint.resume"] = "from";  // beside where each rank was started
  expect_error(train_with("; cd " + folder_ + "/a", "; cd " + folder_ + "/b"), kData,
               {"checkpoint to resume: rank 0/", " has step 1, state ", " has step 2, state "});
}

TEST_P(Agreement, Commands) {
  const std::string script =
      "program=$1\nif [ \"$OMPI_COMM_WORLD_RANK\" = 1 ]; then\n  set -- \"$program\" eval "
      "--checkpoint none\nfi";
  expect_error(invoke(train_command(keys_), {.launcher = wrapped(folder_, GetParam(), script)}),
               kUsage, {"command: rank 0/", "has train, rank 1/", "has eval"});
}

/// The program with another commit in it: what an older build on one host is.
TEST_P(Agreement, Programs) {
  const std::string version = invoke({"--version"}).out;
  const auto at = version.find("(commit ") + 8;
  const std::string commit = version.substr(at, version.find(')') - at);
  const std::string copy = folder_ + "/other-ballast";
  ASSERT_EQ(invoke({copy}, {.launcher = "cp"}).exit_code, 0);
  std::string bytes = read_file(copy);
  const std::string other = "Z" + commit.substr(1);
  for (auto found = bytes.find(commit); found != std::string::npos; found = bytes.find(commit)) {
    bytes.replace(found, commit.size(), other);
  }
  write_file(copy, bytes);
  const std::string script =
      "if [ \"$OMPI_COMM_WORLD_RANK\" = 1 ]; then\n  shift\n  set -- '" + copy + "' \"$@\"\nfi";
  expect_error(invoke(train_command(keys_), {.launcher = wrapped(folder_, GetParam(), script)}),
               kData,
               {"program: rank 0/", "(commit " + commit + ")", ", rank 1/",
                "(commit " + other + ")", "install the same program on all hosts"});
}

INSTANTIATE_TEST_SUITE_P(Ranks, Agreement, testing::Values(2, 3), ranks_name);

}  // namespace
}  // namespace ballast::test
