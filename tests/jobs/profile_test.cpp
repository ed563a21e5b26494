#include <filesystem>
#include <gtest/gtest.h>
#include <set>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

/// The numbers of the steps that a trace shows.
std::set<std::string> steps_of(const std::string& file) {
  const auto trace = nlohmann::json::parse(read_file(file));
  std::set<std::string> steps;
  for (const auto& event : trace.at("traceEvents")) {
    const auto name = event.at("name").get<std::string>();
    if (name.starts_with("step ")) steps.insert(name);
  }
  return steps;
}

TEST(Profile, ShowsTheLastStepsOfEveryRankAndChangesNoBit) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  for (const char* param : {"fp32", "bf16"}) {
    const std::string run_dir = folder + "/plain-" + param;
    auto keys = small_training(data, run_dir);
    keys["precision.param"] = param;
    keys["run.steps"] = "7";
    keys["eval.every"] = "4";
    const auto plain = run_training(keys, {.ranks = 3});
    EXPECT_FALSE(std::filesystem::exists(run_dir + "/profile"));
    for (const auto& record : records(run_dir)) EXPECT_FALSE(record.contains("mfu"));

    const std::string profiled_dir = folder + "/profiled-" + param;
    keys["run.dir"] = profiled_dir;
    keys["log.profile"] = "2";
    EXPECT_EQ(run_training(keys, {.ranks = 3}), plain);
    for (const char* rank : {"0", "1", "2"}) {
      EXPECT_EQ(steps_of(profiled_dir + "/profile/rank-" + rank + ".json"),
                (std::set<std::string>{"step 6", "step 7"}));
    }
    EXPECT_FALSE(std::filesystem::exists(profiled_dir + "/profile/rank-3.json"));
    for (const auto& record : records(profiled_dir)) EXPECT_GT(record.at("mfu"), 0.0);
  }
}

TEST(Profile, TheTableIsPrintedAndKept) {
  const auto folder = fresh_folder();
  auto keys = small_training(make_dataset(folder), folder + "/run");
  keys["run.steps"] = "3";
  keys["log.profile"] = "100";
  const auto outcome = invoke(train_command(keys), {.ranks = 2});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto table = read_file(folder + "/run/profile/table.txt");
  EXPECT_NE(outcome.out.find(table), std::string::npos) << outcome.out;
  for (const char* part : {"the last 3 step(s)", "2 at work: fp32 products ", "GB/s", "down NT",
                           "attention backward", "optimizer", "between the steps", "checkpoint"}) {
    EXPECT_NE(table.find(part), std::string::npos) << part << "\n" << table;
  }
}

TEST(Profile, AResumedRunOfFewerRanksLeavesNoTraceOfTheOthers) {
  const auto folder = fresh_folder();
  auto keys = small_training(make_dataset(folder), folder + "/run");
  keys["run.steps"] = "4";
  keys["run.stop_at"] = "2";
  keys["log.profile"] = "1";
  run_training(keys, {.ranks = 3});
  keys.erase("run.stop_at");
  keys["checkpoint.resume"] = "true";
  run_training(keys, {.ranks = 2});
  EXPECT_EQ(steps_of(folder + "/run/profile/rank-1.json"), (std::set<std::string>{"step 4"}));
  EXPECT_FALSE(std::filesystem::exists(folder + "/run/profile/rank-2.json"));
}

}  // namespace
}  // namespace ballast::test
