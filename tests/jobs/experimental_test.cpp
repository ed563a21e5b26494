#include <algorithm>
#include <gtest/gtest.h>

#include "jobs/at_risk.hpp"
#include "jobs/bad_input.hpp"
#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

std::vector<nlohmann::json> probes(const std::string& run_dir) {
  std::vector<nlohmann::json> all;
  std::istringstream lines{read_file(run_dir + "/monitor.jsonl")};
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

class Shaped : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fresh_folder();
    keys_ = small_training(make_dataset(folder_), "");
    write_file(folder_ + "/alarm.json", kAlwaysAtRisk);
    keys_["monitor.calibration"] = folder_ + "/alarm.json";
    keys_["data.leaf_micro_batches"] = "2";
    keys_["model.init_std"] = "0.2";
    keys_["run.steps"] = "15";
    keys_["monitor.every"] = "2";
    keys_["monitor.tokens"] = "150";
    keys_["monitor.held_out_every"] = "8";
    keys_["experimental.kss"] = "0.02";  // so little that the cap does not hide the ramp
  }
  Result run(const std::string& name, int ranks) {
    keys_["run.dir"] = folder_ + "/" + name;
    return run_training(keys_, {.ranks = ranks});
  }

  std::string folder_;
  Keys keys_;
};

TEST_F(Shaped, RunsAreTheSameAtAnyRankCountAndAfterAResume) {
  for (const std::string dim : {"36", "264"}) {
    keys_["model.dim"] = dim;
    const auto alone = run("alone" + dim, 1);
    const std::string seen = read_file(keys_["run.dir"] + "/monitor.jsonl");
    EXPECT_EQ(run("two" + dim, 2), alone) << dim;
    EXPECT_EQ(read_file(keys_["run.dir"] + "/monitor.jsonl"), seen) << dim;
    EXPECT_EQ(run("three" + dim, 3), alone) << dim;
    for (const std::string stop : {"8", "11"}) {  // step 8 is shaped, and so is step 12
      keys_["run.stop_at"] = stop;
      run("stopped" + dim + stop, 2);
      keys_.erase("run.stop_at");
      keys_["checkpoint.resume"] = "true";
      EXPECT_EQ(run("stopped" + dim + stop, 3), alone) << dim << " stopped at " << stop;
      keys_.erase("checkpoint.resume");
    }
    keys_["experimental.kss"] = "0";
    EXPECT_NE(run("without" + dim, 1).hash, alone.hash) << dim;
    keys_["experimental.kss"] = "0.02";
  }
}

TEST_F(Shaped, StepsAreThoseThatAreProbedInAlarm) {
  const auto outcome = [&] {
    keys_["run.dir"] = folder_ + "/run";
    return invoke(train_command(keys_), {.ranks = 2});
  }();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("shaping begins after step 1: "), std::string::npos) << outcome.out;
  int shaped = 0;
  for (const auto& probe : probes(keys_["run.dir"])) {
    const bool is_live = probe.at("source") == "live";
    EXPECT_EQ(probe.contains("kss"), is_live && probe.at("step") > 1) << probe.dump();
    if (!probe.contains("kss")) continue;
    ++shaped;
    const auto& kss = probe.at("kss");
    EXPECT_GT(kss.at("loss"), 0.0);
    EXPECT_GT(kss.at("near_unit"), 0.0);
    EXPECT_GT(kss.at("applied_share"), 0.0);
    EXPECT_LE(kss.at("applied_share"), 1.0);
  }
  EXPECT_EQ(shaped, 7);
}

TEST_F(Shaped, RunsWithoutAnAlarmAreAsWithoutShaping) {
  keys_.erase("monitor.calibration");
  const auto shaped = run("on", 2);
  EXPECT_EQ(read_file(keys_["run.dir"] + "/alerts.jsonl"), "");
  keys_["experimental.kss"] = "0";
  EXPECT_EQ(run("off", 2), shaped);
}

class Clipped : public testing::Test {
 protected:
  static constexpr double kThreshold = 0.5;

  void SetUp() override {
    folder_ = fresh_folder();
    keys_ = small_training(make_dataset(folder_), "");
    keys_["run.steps"] = "30";
    keys_["monitor.every"] = "1";
    keys_["monitor.held_out_every"] = "0";
    keys_["experimental.qk_clip"] = std::to_string(kThreshold);
  }
  Outcome run(const std::string& name, int ranks) {
    keys_["run.dir"] = folder_ + "/" + name;
    auto outcome = invoke(train_command(keys_), {.ranks = ranks});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome;
  }
  /// The largest of all blocks, of each step after the first that passed the threshold.
  [[nodiscard]] std::vector<double> logits_once_clipped() const {
    std::vector<double> all;
    bool has_passed = false;
    for (const auto& probe : probes(keys_.at("run.dir"))) {
      const std::vector<double> logits = probe.at("attention_logit");
      if (has_passed) all.push_back(*std::ranges::max_element(logits));
      has_passed = has_passed || *std::ranges::max_element(logits) > kThreshold;
    }
    return all;
  }

  std::string folder_;
  Keys keys_;
};

TEST_F(Clipped, LogitsStayAboutTheThreshold) {
  const auto outcome = run("clipped", 2);
  const auto clipped = logits_once_clipped();
  ASSERT_GT(clipped.size(), 10u);
  for (const double logit : clipped) EXPECT_LT(logit, 1.5 * kThreshold);
  const auto said = outcome.out.find("qk_clip at step ");
  ASSERT_NE(said, std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("qk_clip at step ", said + 1), std::string::npos) << outcome.out;

  keys_["experimental.qk_clip"] = "0";
  run("unclipped", 2);
  const auto unclipped = logits_once_clipped();
  EXPECT_GT(*std::ranges::max_element(unclipped), 4.0 * kThreshold);
}

TEST_F(Clipped, RunsAreTheSameAtAnyRankCountAndSharding) {
  keys_["model.init_std"] = "0.2";  // so that logits are large from the start
  keys_["run.steps"] = "6";
  keys_["monitor.every"] = "0";
  std::vector<std::string> hashes;
  for (const std::string param : {"fp32", "bf16", "fp16"}) {
    keys_["precision.param"] = param;
    keys_["parallel.sharding"] = "full";
    const std::string alone = state_hash(run(param, 1).out);
    EXPECT_EQ(state_hash(run(param + "-2", 2).out), alone) << param;
    EXPECT_EQ(state_hash(run(param + "-3", 3).out), alone) << param;
    keys_["parallel.backend"] = "mpi";
    EXPECT_EQ(state_hash(run(param + "-messages", 3).out), alone) << param;
    keys_.erase("parallel.backend");
    keys_["parallel.sharding"] = "none";
    EXPECT_EQ(state_hash(run(param + "-none", 2).out), alone) << param;
    hashes.push_back(alone);
    keys_["experimental.qk_clip"] = "1000";
    EXPECT_NE(state_hash(run(param + "-without", 1).out), alone) << param;
    keys_["experimental.qk_clip"] = std::to_string(kThreshold);
  }
  EXPECT_NE(hashes[0], hashes[1]);
}

TEST_F(Clipped, AThresholdThatIsNeverPassedChangesNothing) {
  keys_["experimental.qk_clip"] = "1000";
  const auto outcome = run("on", 2);
  EXPECT_EQ(outcome.out.find("qk_clip at step"), std::string::npos);
  const auto seen = probes(keys_["run.dir"]);
  keys_["experimental.qk_clip"] = "0";
  EXPECT_EQ(state_hash(run("off", 2).out), state_hash(outcome.out));
  EXPECT_EQ(probes(keys_["run.dir"]), seen) << "the monitor sees less beside it";
}

class ExperimentalBadInput : public BadInput {};

TEST_P(ExperimentalBadInput, ShapingWithoutAMonitor) {
  keys_["experimental.kss"] = "0.15";
  keys_["monitor.every"] = "0";
  expect_error(train(), kUsage, {"experimental.kss", "0.15", "monitor.every"});
}

TEST_P(ExperimentalBadInput, ClippingNormalizedQueriesAndKeys) {
  keys_["experimental.qk_clip"] = "100";
  keys_["model.qk_norm"] = "true";
  expect_error(train(), kUsage, {"experimental.qk_clip", "100", "model.qk_norm"});
}

TEST_P(ExperimentalBadInput, NumbersThatAreNone) {
  for (const std::string key : {"experimental.kss", "experimental.qk_clip"}) {
    for (const std::string value : {"-1", "inf", "nan"}) {
      Keys keys = keys_;
      keys[key] = value;
      expect_error(run(train_command(keys)), kUsage, {key, value});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, ExperimentalBadInput, testing::Values(1, 3), ranks_name);

}  // namespace
}  // namespace ballast::test
