#include <filesystem>
#include <gtest/gtest.h>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

/// A dry run of a training, without mpirun and without a run directory.
Outcome dry_run(Keys keys, const std::vector<std::string>& more, const Launch& launch = {}) {
  keys.erase("run.dir");
  auto words = train_command(keys);
  words.emplace_back("--dry-run");
  words.insert(words.end(), more.begin(), more.end());
  return invoke(words, launch);
}

/// The rest of the line that starts with `start`, or "none".
std::string line_after(const std::string& text, const std::string& start) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(start);
    if (at != std::string::npos) return line.substr(at + start.size());
  }
  return "none";
}

/// The number and unit that stand behind `word`.
std::string amount_after(const std::string& line, const std::string& word) {
  const auto at = line.find(word + " ");
  if (at == std::string::npos) return "none";
  std::istringstream words{line.substr(at + word.size())};
  std::string number, unit;
  words >> number >> unit;
  return number + " " + unit.substr(0, unit.find_first_of(",;"));
}

/// The output without its last lines: what a host leaves differs from moment to moment.
std::string without_limits(const std::string& output) {
  return output.substr(0, output.find("a program and its libraries"));
}

TEST(DryRun, SaysWhatTheRunPlans) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  const std::vector<Keys> variants{{},
                                   {{"parallel.backend", "mpi"}, {"precision.param", "bf16"}},
                                   {{"parallel.recompute", "full"}, {"parallel.wrap", "blocks:2"}}};
  for (std::size_t i = 0; i < variants.size(); ++i) {
    auto keys = small_training(data, fmt::format("{}/run{}", folder, i));
    for (const auto& [key, value] : variants[i]) keys[key] = value;
    keys["run.steps"] = "1";
    const auto run = invoke(train_command(keys), {.ranks = 3});
    ASSERT_EQ(run.exit_code, 0) << run.err;
    const auto plan = dry_run(keys, {"--ranks", "3"});
    ASSERT_EQ(plan.exit_code, 0) << plan.err;
    for (const char* line : {"model: ", "mode: "}) {
      EXPECT_NE(line_after(plan.out, line), "none") << plan.out;
      EXPECT_EQ(line_after(plan.out, line), line_after(run.out, line));
    }
    const auto logged = line_after(run.out, "memory planned on rank 0's host: ");
    for (const char* name : {"parameters", "gradients", "optimizer", "transient", "activations",
                             "scratch", "monitor"}) {
      const auto amount = amount_after(logged, name);
      EXPECT_NE(amount, "none") << logged;
      EXPECT_EQ(amount_after(plan.out, fmt::format("\n  {}", name)), amount) << plan.out;
    }
  }
}

TEST(DryRun, ComparesRankCountsAndTouchesNothing) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  auto keys = small_training(data, "");
  const auto plan = dry_run(keys, {});
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  for (const char* ranks : {"     1", "     2", "     4", "     8", "    16"}) {
    const auto row = line_after(plan.out, fmt::format("{}      1 ", ranks));
    EXPECT_NE(row.find("  yes"), std::string::npos) << plan.out;
  }
  keys["run.dir"] = folder + "/untouched";
  auto words = train_command(keys);
  words.emplace_back("--dry-run");
  EXPECT_EQ(without_limits(invoke(words).out), without_limits(plan.out));
  EXPECT_FALSE(std::filesystem::exists(folder + "/untouched"));
}

TEST(DryRun, PlansForHosts) {
  const auto folder = fresh_folder();
  const auto keys = small_training(make_dataset(folder), "");
  const auto plan = dry_run(keys, {"--ranks", "5", "--ranks-per-host", "2"});
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_NE(plan.out.find("planned on a host, over its 2 rank(s)"), std::string::npos) << plan.out;
  EXPECT_NE(plan.out.find("\n     5      3 "), std::string::npos) << plan.out;
  EXPECT_NE(line_after(plan.out, "mode: ").find("gathered once a host"), std::string::npos)
      << plan.out;
}

TEST(DryRun, ARankCountThatDoesNotGoIsNamed) {
  const auto folder = fresh_folder();
  auto keys = small_training(make_dataset(folder), "");
  keys["parallel.sharding"] = "hybrid";
  keys["parallel.shard_group"] = "2";
  const auto list = dry_run(keys, {"--ranks", "3,4"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_NE(line_after(list.out, "     3  ").find("shard_group"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("\n     4      1 "), std::string::npos) << list.out;
  const auto one = dry_run(keys, {"--ranks", "3"});
  EXPECT_EQ(one.exit_code, 2);
  EXPECT_NE(one.err.find("shard_group"), std::string::npos) << one.err;
}

TEST(DryRun, BadArgumentsAreNamed) {
  const auto folder = fresh_folder();
  auto keys = small_training(make_dataset(folder), folder + "/run");
  for (const char* ranks : {"0", "2,", ",2", "two", "70000", "1,,2", ""}) {
    const auto outcome = dry_run(keys, {fmt::format("--ranks={}", ranks)});
    EXPECT_EQ(outcome.exit_code, 2) << ranks << outcome.out;
  }
  auto words = train_command(keys);
  words.insert(words.end(), {"--ranks", "2"});
  const auto outcome = invoke(words);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("--dry-run"), std::string::npos) << outcome.err;
  keys["data.path"] = folder + "/none.h5";
  EXPECT_EQ(dry_run(keys, {}).exit_code, 3);
  keys.erase("data.path");
  EXPECT_EQ(dry_run(keys, {}).exit_code, 2);
}

TEST(DryRun, UnderMpirunOneRankSpeaks) {
  const auto folder = fresh_folder();
  const auto keys = small_training(make_dataset(folder), "");
  const auto outcome = dry_run(keys, {"--ranks", "2"}, {.ranks = 2});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(without_limits(outcome.out), without_limits(dry_run(keys, {"--ranks", "2"}).out));
}

}  // namespace
}  // namespace ballast::test
