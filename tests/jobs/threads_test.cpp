#include <gtest/gtest.h>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

struct Job {
  int ranks;
  std::string threads;
  std::string helpers = "auto";
};

/// Large enough that every kernel has tasks for all.
Keys threaded_training(const std::string& data, const std::string& run_dir,
                       const std::string& threads) {
  Keys keys = small_training(data, run_dir);
  keys["data.seq_len"] = "120";
  keys["model.dim"] = "132";
  keys["run.steps"] = "5";
  keys["parallel.threads"] = threads;
  return keys;
}

TEST(Threads, EveryStepHasTheSameBits) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  for (const std::string param : {"fp32", "bf16"}) {
    const auto train = [&](const Job& job) {
      const auto run_dir =
          fmt::format("{}/{}-{}x{}-{}", folder, param, job.ranks, job.threads, job.helpers);
      Keys keys = threaded_training(data, run_dir, job.threads);
      keys["parallel.helpers"] = job.helpers;
      keys["precision.param"] = param;
      return run_training(keys, {.ranks = job.ranks});
    };
    const auto alone = train({1, "1"});
    ASSERT_EQ(alone.trajectory.size(), 5u);
    for (const Job& job : {Job{1, "2"}, Job{1, "3"}, Job{2, "2"}, Job{3, "1"}, Job{1, "auto"},
                           Job{1, "1", "2"}, Job{2, "1", "3"}, Job{2, "2", "1"}}) {
      EXPECT_EQ(train(job), alone)
          << param << ' ' << job.ranks << " x " << job.threads << " and " << job.helpers;
    }
  }
}

TEST(Threads, StoppedWithOneAndResumedWithThree) {
  const auto folder = fresh_folder();
  const auto data = make_dataset(folder);
  const auto straight = run_training(threaded_training(data, folder + "/straight", "1"), {});
  Keys keys = threaded_training(data, folder + "/stopped", "1");
  keys["run.stop_at"] = "2";
  EXPECT_EQ(run_training(keys, {.ranks = 1}).trajectory.size(), 2u);
  keys.erase("run.stop_at");
  keys["checkpoint.resume"] = "true";
  keys["parallel.threads"] = "3";
  EXPECT_EQ(run_training(keys, {.ranks = 1}), straight);
}

}  // namespace
}  // namespace ballast::test
