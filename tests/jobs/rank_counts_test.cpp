#include <gtest/gtest.h>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

TEST(RankCounts, EveryStepHasTheSameBits) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  const auto alone = run_training(small_training(data, folder + "/alone"), {.ranks = 1});
  ASSERT_EQ(alone.trajectory.size(), 50u);
  EXPECT_NE(alone.trajectory.front(), alone.trajectory.back());
  for (const int ranks : {2, 3, 4, 5}) {
    const auto run_dir = fmt::format("{}/ranks{}", folder, ranks);
    EXPECT_EQ(run_training(small_training(data, run_dir), {.ranks = ranks}), alone) << ranks;
  }
}

TEST(RankCounts, TwoHostsOfTwoRanksHaveTheSameBits) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  auto keys = small_training(data, folder + "/alone");
  const auto alone = run_training(keys, {.ranks = 1});
  keys["run.dir"] = folder + "/hosts";
  EXPECT_EQ(run_training(keys, {.launcher = BALLAST_NETNS_HOSTS " run 2 2 --"}), alone);
}

TEST(RankCounts, StoppedOnTwoRanksAndResumedOnThree) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  auto keys = small_training(data, folder + "/straight");
  const auto straight = run_training(keys, {.ranks = 1});
  keys["run.dir"] = folder + "/stopped";
  keys["run.stop_at"] = "25";
  EXPECT_EQ(run_training(keys, {.ranks = 2}).trajectory.size(), 25u);
  keys.erase("run.stop_at");
  keys["checkpoint.resume"] = "true";
  EXPECT_EQ(run_training(keys, {.ranks = 3}), straight);
}

TEST(RankCounts, VariantsAndLeavesOfSeveralMicroBatches) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  const std::vector<Keys> variants{
      {{"model.norm", "layer"}, {"model.norm_placement", "post"}, {"model.tie_embeddings", "true"}},
      {{"model.qk_norm", "true"}, {"data.leaf_micro_batches", "3"}, {"schedule.kind", "wsd"}},
  };
  for (std::size_t i = 0; i < variants.size(); ++i) {
    auto keys = small_training(data, fmt::format("{}/{}-alone", folder, i));
    for (const auto& [key, value] : variants[i]) keys[key] = value;
    keys["run.steps"] = "8";
    const auto alone = run_training(keys, {.ranks = 1});
    keys["run.dir"] = fmt::format("{}/{}-three", folder, i);
    EXPECT_EQ(run_training(keys, {.ranks = 3}), alone) << i;
  }
}

TEST(RankCounts, EvaluationHasTheSameBits) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  auto keys = small_training(data, folder + "/run");
  keys["run.steps"] = "10";
  keys["eval.every"] = "5";
  run_training(keys, {.ranks = 2});
  const double logged = records(folder + "/run").back().at("val_bits_per_byte").get<double>();
  const auto alone = invoke({"eval", "--checkpoint", folder + "/run"}, {.ranks = 1});
  const auto three = invoke({"eval", "--checkpoint", folder + "/run"}, {.ranks = 3});
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_EQ(alone.out, three.out);
  EXPECT_NE(alone.out.find(fmt::format("{:.4f} bits/byte", logged)), std::string::npos)
      << alone.out << logged;
}

}  // namespace
}  // namespace ballast::test
