#include <filesystem>
#include <gtest/gtest.h>

#include "jobs/bad_input.hpp"
#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

std::vector<std::string> profile_command(const Keys& keys,
                                         const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"monitor", "profile"};
  words.insert(words.end(), more.begin(), more.end());
  for (const auto& [key, value] : keys) {
    words.push_back("--" + key);
    words.push_back(value);
  }
  return words;
}

/// The configuration of a training, without a folder to put it in.
Keys small_profile(const std::string& data) {
  Keys keys = small_training(data, "unused");
  keys.erase("run.dir");
  keys["monitor.tokens"] = "150";
  return keys;
}

Outcome run_profile(const Keys& keys, int ranks, const std::vector<std::string>& more = {}) {
  const auto outcome = invoke(profile_command(keys, more), {.ranks = ranks});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome;
}

nlohmann::json written(const Keys& keys, const std::string& file, int ranks = 0) {
  const auto outcome = run_profile(keys, ranks, {"--output", file});
  EXPECT_EQ(outcome.out, "wrote " + file + "\n");
  return nlohmann::json::parse(read_file(file));
}

TEST(InitialProfile, IsTheSameAtAnyRankCountAndInAnyMode) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  for (const std::string dim : {"36", "264"}) {
    auto keys = small_profile(data);
    keys["model.dim"] = dim;
    const auto table = run_profile(keys, 0).out;
    const auto numbers = written(keys, folder + "/alone.json");
    for (const int ranks : {2, 3, 5}) {
      EXPECT_EQ(run_profile(keys, ranks).out, table) << dim << " at " << ranks;
      EXPECT_EQ(written(keys, folder + "/many.json", ranks), numbers) << dim << " at " << ranks;
    }
    keys["parallel.sharding"] = "none";
    keys["data.leaf_micro_batches"] = "3";
    keys["monitor.every"] = "0";
    EXPECT_EQ(run_profile(keys, 3).out, table) << dim;
  }
}

TEST(InitialProfile, IsWhatATrainingSeesOfHeldOutTextBeforeItsFirstStep) {
  const auto folder = fresh_folder();
  auto keys = small_profile(make_dataset(folder));
  const auto profile = written(keys, folder + "/profile.json");
  EXPECT_EQ(profile.at("text"), "held_out");
  keys["run.dir"] = folder + "/run";
  keys["run.steps"] = "1";
  keys["monitor.held_out_every"] = "1";
  run_training(keys, {.ranks = 2});
  const auto lines = read_file(folder + "/run/monitor.jsonl");
  const auto probe = nlohmann::json::parse(lines.substr(0, lines.find('\n')));
  ASSERT_EQ(probe.at("source"), "held_out");
  for (const char* key :
       {"tokens", "attention_logit", "update", "rms", "kurtosis", "eigenvalues"}) {
    EXPECT_EQ(profile.at(key), probe.at(key)) << key;
  }
  for (const auto& [key, values] : probe.at("spectrum").items()) {
    EXPECT_EQ(profile.at("spectrum").at(key), values) << key;
  }
}

TEST(InitialProfile, TakesTrainingTextWhereNoneIsHeldOut) {
  const auto folder = fresh_folder();
  auto keys = small_profile(make_dataset(folder, 30000));
  EXPECT_NE(run_profile(keys, 0).out.find("tokens of training text\n"), std::string::npos);
  const auto numbers = written(keys, folder + "/alone.json");
  EXPECT_EQ(numbers.at("text"), "training");
  EXPECT_GE(numbers.at("tokens"), 150);
  EXPECT_EQ(written(keys, folder + "/many.json", 3), numbers);
}

TEST(InitialProfile, TakesAsManyBatchesAsTheProbeNeeds) {
  const auto folder = fresh_folder();
  auto keys = small_profile(make_dataset(folder));
  keys["monitor.tokens"] = "2000";  // a step has 576
  const auto tokens = written(keys, folder + "/profile.json").at("tokens").get<int>();
  EXPECT_NEAR(tokens, 2000, 100);
}

TEST(InitialProfile, ReadsItsConfigurationFromAFileThatOptionsOverride) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  const auto keys = small_profile(data);
  std::string ini;
  for (const auto& [key, value] : keys) {
    const auto dot = key.find('.');
    ini += fmt::format("[{}]\n{} = {}\n", key.substr(0, dot), key.substr(dot + 1), value);
  }
  write_file(folder + "/c.ini", ini);
  EXPECT_EQ(invoke({"monitor", "profile", folder + "/c.ini"}).out, run_profile(keys, 0).out);
  EXPECT_EQ(invoke({"monitor", "profile", "--config", folder + "/c.ini"}).out,
            run_profile(keys, 0).out);
  auto others = keys;
  others["model.norm_placement"] = "none";
  EXPECT_EQ(invoke({"monitor", "profile", folder + "/c.ini", "--model.norm_placement", "none"}).out,
            run_profile(others, 0).out);
}

TEST(InitialProfile, MarksBlocksThatDoNothingAndLeavesThemOutOfMeans) {
  const auto folder = fresh_folder();
  auto keys = small_profile(make_dataset(folder));
  keys["model.init_depth_scale"] = "0";
  const auto profile = written(keys, folder + "/profile.json");
  EXPECT_EQ(profile.at("spectrum").at("status"),
            nlohmann::json({"identity", "identity", "identity"}));
  EXPECT_TRUE(profile.at("summary").at("all_blocks").at("mean").at("near_unit").is_null());
  const auto table = run_profile(keys, 0).out;
  EXPECT_NE(table.find("  identity\n"), std::string::npos) << table;
  EXPECT_NE(table.find("No block has a spectrum to judge by"), std::string::npos) << table;
}

/// What a person can get wrong about it.
class ProfileBadInput : public BadInput {
 protected:
  void SetUp() override {
    BadInput::SetUp();
    keys_ = small_profile(data_);
  }
  [[nodiscard]] Outcome profile(const std::vector<std::string>& more = {}) const {
    return run(profile_command(keys_, more));
  }
};

TEST_P(ProfileBadInput, MoreTokensThanThereAre) {
  keys_["monitor.tokens"] = "1000000";
  expect_error(profile(), kUsage, {"monitor.tokens = 1000000", "held-out", "text.h5"});
}

TEST_P(ProfileBadInput, RankAboveDim) {
  keys_["monitor.rank"] = "37";
  expect_error(profile(), kUsage, {"monitor.rank = 37", "model.dim = 36"});
}

TEST_P(ProfileBadInput, NoData) {
  keys_.erase("data.path");
  expect_error(profile(), kUsage, {"data.path"});
  keys_["data.path"] = folder_ + "/none.h5";
  expect_error(profile(), kData, {"none.h5"});
}

TEST_P(ProfileBadInput, SequencesLongerThanTheText) {
  keys_["data.seq_len"] = "400000";
  expect_error(profile(), kData, {"text.h5", "400000"});
}

TEST_P(ProfileBadInput, ConfigurationsThatAreNotOne) {
  expect_error(profile({folder_ + "/none.ini"}), kUsage, {"none.ini"});
  write_file(folder_ + "/c.ini", "[model]\nlayer = 3\n");
  expect_error(profile({folder_ + "/c.ini"}), kUsage, {"c.ini:2", "model.layers"});
  expect_error(profile({folder_ + "/c.ini", folder_ + "/d.ini"}), kUsage, {"config"});
}

TEST_P(ProfileBadInput, OutputThatCannotBeWritten) {
  expect_error(profile({"--output", folder_ + "/no/folder.json"}), kData, {"no/folder.json"});
}

INSTANTIATE_TEST_SUITE_P(Ranks, ProfileBadInput, testing::Values(1, 3), ranks_name);

}  // namespace
}  // namespace ballast::test
