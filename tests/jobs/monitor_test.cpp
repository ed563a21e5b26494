#include <filesystem>
#include <gtest/gtest.h>

#include "jobs/at_risk.hpp"
#include "jobs/bad_input.hpp"
#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

/// A run that is looked at often, with a wide stream or one that is taken whole.
Keys watched(const std::string& data, const std::string& run_dir, const std::string& dim) {
  Keys keys = small_training(data, run_dir);
  keys["model.dim"] = dim;
  keys["run.steps"] = "26";
  keys["monitor.every"] = "10";
  keys["monitor.tokens"] = "150";
  keys["monitor.held_out_every"] = "12";
  return keys;
}

std::string probes(const std::string& run_dir) { return read_file(run_dir + "/monitor.jsonl"); }

std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::vector<nlohmann::json> all;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

TEST(MonitorJobs, SeeTheSameAtAnyRankCount) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  for (const std::string dim : {"36", "264"}) {
    auto keys = watched(data, folder + "/alone" + dim, dim);
    run_training(keys, {.ranks = 1});
    const std::string alone = probes(keys["run.dir"]);
    EXPECT_NE(alone.find("\"source\":\"held_out\""), std::string::npos);
    for (const int ranks : {2, 3}) {
      keys["run.dir"] = fmt::format("{}/ranks{}-{}", folder, ranks, dim);
      run_training(keys, {.ranks = ranks});
      EXPECT_EQ(probes(keys["run.dir"]), alone) << dim << " at " << ranks;
    }
  }
}

TEST(MonitorJobs, GoOnAfterAResumeAsIfNothingHadHappened) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  auto keys = watched(data, folder + "/straight", "36");
  const auto straight = run_training(keys, {.ranks = 1});
  keys["run.dir"] = folder + "/stopped";
  keys["run.stop_at"] = "12";
  run_training(keys, {.ranks = 2});
  keys.erase("run.stop_at");
  keys["checkpoint.resume"] = "true";
  EXPECT_EQ(run_training(keys, {.ranks = 3}), straight);
  const auto first = lines_of(probes(folder + "/straight"));
  const auto second = lines_of(probes(folder + "/stopped"));
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].at("features"), second[i].at("features")) << i;
    EXPECT_EQ(first[i].at("risk"), second[i].at("risk")) << i;
  }
}

TEST(MonitorJobs, DoNotChangeTheTraining) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  auto keys = watched(data, folder + "/watched", "36");
  const auto with = run_training(keys, {.ranks = 2});
  keys["run.dir"] = folder + "/alone";
  keys["monitor.every"] = "0";
  EXPECT_EQ(run_training(keys, {.ranks = 2}), with);
  EXPECT_EQ(probes(folder + "/alone"), "");
}

TEST(MonitorJobs, RaiseARiskAgainAfterAHundredSteps) {
  const auto folder = fresh_folder();
  auto keys = watched(make_dataset(folder), folder + "/run", "36");
  write_file(folder + "/alarm.json", kAlwaysAtRisk);
  keys["monitor.calibration"] = folder + "/alarm.json";
  keys["run.steps"] = "125";
  keys["run.stop_at"] = "60";
  run_training(keys, {.ranks = 2});
  keys.erase("run.stop_at");
  keys["checkpoint.resume"] = "true";
  run_training(keys, {.ranks = 1});
  std::vector<int> raised;
  for (const auto& alert : lines_of(read_file(folder + "/run/alerts.jsonl"))) {
    if (alert.at("kind") == "risk") raised.push_back(alert.at("step"));
  }
  ASSERT_EQ(raised.size(), 2u);
  EXPECT_EQ(raised[0], 1);
  EXPECT_GE(raised[1], 101);
  EXPECT_LE(raised[1], 110);  // the next probe
}

/// A run whose learning rate is multiplied by 30 at step 13.
class Jump : public testing::Test {
 protected:
  Outcome jump(const std::string& on_alert, const std::string& every = "10") {
    folder_ = fresh_folder();
    keys_ = watched(make_dataset(folder_), folder_ + "/run", "36");
    keys_["monitor.on_alert"] = on_alert;
    keys_["monitor.every"] = every;
    keys_["schedule.kind"] = "constant";
    keys_["schedule.warmup"] = "0";
    keys_["optim.lr"] = "0.001";
    keys_["run.stop_at"] = "12";
    run_training(keys_, {.ranks = 2});
    keys_.erase("run.stop_at");
    keys_["optim.lr"] = "0.03";
    keys_["checkpoint.resume"] = "true";
    return invoke(train_command(keys_), {.ranks = 2});
  }
  [[nodiscard]] nlohmann::json first_alert() const {
    return lines_of(read_file(folder_ + "/run/alerts.jsonl")).at(0);
  }

  std::string folder_;
  Keys keys_;
};

TEST_F(Jump, IsWrittenDown) {
  const auto outcome = jump("log");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("warning at step 13: the learning rate jumped from 1.00e-03 to"),
            std::string::npos)
      << outcome.out;
  EXPECT_EQ(first_alert().at("kind"), "learning_rate");
  EXPECT_EQ(first_alert().at("step"), 13);
  EXPECT_EQ(first_alert().at("severity"), "warning");
  EXPECT_TRUE(first_alert().at("layer").is_null());
}

TEST_F(Jump, IsTakenBackAndStaysSoAfterAResume) {
  const auto outcome = jump("lower_lr");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NEAR(records(folder_ + "/run").back().at("lr").get<double>(), 0.001, 1e-9);
  keys_["run.steps"] = "28";
  EXPECT_EQ(invoke(train_command(keys_), {.ranks = 1}).exit_code, 0);
  EXPECT_NEAR(records(folder_ + "/run").back().at("lr").get<double>(), 0.001, 1e-9);
}

TEST_F(Jump, StopsTheRunWithACheckpoint) {
  const auto outcome = jump("stop");
  EXPECT_EQ(outcome.exit_code, 4) << outcome.out;
  EXPECT_EQ(records(folder_ + "/run").size(), 13u);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/run/checkpoints/step-13/manifest.json"));
}

TEST_F(Jump, IsNobodysBusinessWithoutAMonitor) {
  EXPECT_EQ(jump("stop", "0").exit_code, 0);
  EXPECT_EQ(read_file(folder_ + "/run/alerts.jsonl"), "");
}

TEST_F(Jump, SavesACheckpoint) {
  EXPECT_EQ(jump("checkpoint").exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/run/checkpoints/step-13/manifest.json"));
}

class MonitorBadInput : public BadInput {};

TEST_P(MonitorBadInput, RankAboveDim) {
  keys_["monitor.rank"] = "37";
  expect_error(train(), kUsage, {"monitor.rank", "37", "model.dim", "36"});
}

TEST_P(MonitorBadInput, CalibrationOfAnotherVersion) {
  write_file(folder_ + "/risk.json", R"({"feature_version": 99})");
  keys_["monitor.calibration"] = folder_ + "/risk.json";
  expect_error(train(), kData, {"risk.json", "99", "fit it anew"});
}

TEST_P(MonitorBadInput, MoreTokensThanAreHeldOut) {
  keys_["monitor.tokens"] = "1000000";
  keys_["monitor.held_out_every"] = "5";
  expect_error(train(), kUsage, {"monitor.tokens", "1000000", "validation", "text.h5"});
}

TEST_P(MonitorBadInput, CalibrationThatIsNotThere) {
  keys_["monitor.calibration"] = folder_ + "/none.json";
  expect_error(train(), kUsage, {"none.json"});
}

INSTANTIATE_TEST_SUITE_P(Ranks, MonitorBadInput, testing::Values(1, 3));

}  // namespace
}  // namespace ballast::test
