#include <filesystem>
#include <gtest/gtest.h>
#include <sstream>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

class Endings : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    folder_ = fresh_folder();
    keys_ = small_training(make_dataset(folder_), folder_ + "/run");
  }

  /// A launcher that runs `script` as a shell command; "$@" is mpirun and the program.
  [[nodiscard]] Launch around(const std::string& script) const {
    write_file(folder_ + "/script", script);
    return {.launcher =
                fmt::format("sh '{}/script' {} -n {}", folder_, BALLAST_MPIRUN, GetParam())};
  }

  std::string folder_;
  Keys keys_;
};

TEST_P(Endings, AUserSignalSavesAndAsksToBeRunAgain) {
  auto straight = keys_;
  straight["run.dir"] = folder_ + "/straight";
  ASSERT_EQ(invoke(train_command(straight), {.ranks = 1}).exit_code, 0);

  const auto outcome = invoke(train_command(keys_), around(fmt::format(R"sh(
"$@" &
job=$!
until grep -q '"step":3,' '{}/run/log.jsonl' 2>/dev/null; do sleep 0.05; done
kill -USR1 $job
wait $job
)sh",
                                                                       folder_)));
  EXPECT_EQ(outcome.exit_code, 75) << outcome.err << outcome.out;
  const auto stopped = records(folder_ + "/run").size();
  EXPECT_GE(stopped, 3u);
  EXPECT_LT(stopped, 50u);

  keys_["checkpoint.resume"] = "true";
  const auto resumed = invoke(train_command(keys_), {.ranks = GetParam()});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(trajectory(folder_ + "/run"), trajectory(folder_ + "/straight"));
}

TEST_P(Endings, ADivergedRunSkipsUpdatesAndThenGivesUp) {
  keys_["optim.lr"] = "1e30";
  keys_["schedule.warmup"] = "0";
  const auto outcome = invoke(train_command(keys_), {.ranks = GetParam()});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err << outcome.out;
  EXPECT_NE(outcome.out.find("update skipped on all ranks"), std::string::npos);
  const auto all = records(folder_ + "/run");
  EXPECT_TRUE(all.front().at("loss").is_number());
  EXPECT_TRUE(all.back().at("grad_norm").is_null());
  EXPECT_EQ(all.back().at("nonfinite"), true);
  EXPECT_LT(all.size(), 50u);
}

TEST_P(Endings, AStoppedRankIsNamedByTheOthers) {
  if (GetParam() == 1) return;  // nobody is left to name it
  keys_["run.steps"] = "100000";
  keys_["parallel.timeout_s"] = "2";
  write_file(folder_ + "/wrapper",
             "#!/bin/sh\n[ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && exec timeout --foreground "
             "--signal=STOP 3 \"$@\"\nexec \"$@\"\n");
  std::filesystem::permissions(folder_ + "/wrapper", std::filesystem::perms::owner_all);
  const auto outcome = invoke(
      train_command(keys_),
      {.launcher = fmt::format("{} -n {} '{}/wrapper'", BALLAST_MPIRUN, GetParam(), folder_)});
  EXPECT_EQ(outcome.exit_code, 70) << outcome.err << outcome.out;
  for (const char* part : {"waited 2 s", "at step", "rank 1/3"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << "\nin: " << outcome.err;
  }
}

TEST_P(Endings, KilledOutrightItLeavesNothingAndResumes) {
  keys_["run.steps"] = "60";
  auto straight = keys_;
  straight["run.dir"] = folder_ + "/straight";
  ASSERT_EQ(invoke(train_command(straight), {.ranks = 1}).exit_code, 0);

  // The job has /dev/shm and temporary files to itself, so that what it leaves can be told apart.
  auto killed = keys_;
  killed["checkpoint.every"] = "2";
  killed["parallel.backend"] = "region";
  write_file(folder_ + "/wrapper", "#!/bin/sh\necho $$ >>'" + folder_ + "/pids'\nexec \"$@\"\n");
  std::filesystem::permissions(folder_ + "/wrapper", std::filesystem::perms::owner_all);
  std::filesystem::create_directory(folder_ + "/temporary");
  write_file(folder_ + "/script", fmt::format(R"sh(
cd '{0}'
mount -t tmpfs tmpfs /dev/shm
export TMPDIR='{0}/temporary'
{1} -n {2} ./wrapper "$@" &
job=$!
until grep -q '"step":5,' run/log.jsonl 2>/dev/null; do sleep 0.05; done
kill -KILL $job $(cat pids)
wait $job
while kill -0 $(cat pids) 2>/dev/null; do sleep 0.05; done
find /dev/shm temporary -mindepth 1 >left
)sh",
                                              folder_, BALLAST_MPIRUN, GetParam()));
  const auto outcome =
      invoke(train_command(killed),
             {.launcher = fmt::format("unshare --map-root-user --mount sh '{}/script'", folder_)});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  // Open MPI may leave its own: its session's folder, and the memory that it sends messages
  // through.
  std::istringstream left{read_file(folder_ + "/left")};
  for (std::string file; std::getline(left, file);) {
    EXPECT_TRUE(file.starts_with("temporary/ompi.") ||
                file.starts_with("/dev/shm/vader_segment.") ||
                file.starts_with("/dev/shm/sm_segment.") || file.starts_with("temporary/pmix"))
        << file;
  }

  keys_["checkpoint.resume"] = "true";
  const auto resumed = invoke(train_command(keys_), {.ranks = GetParam()});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("resumed from "), std::string::npos) << resumed.out;
  EXPECT_EQ(trajectory(folder_ + "/run"), trajectory(folder_ + "/straight"));
}

INSTANTIATE_TEST_SUITE_P(Ranks, Endings, testing::Values(1, 3),
                         [](const auto& ranks) { return fmt::format("np{}", ranks.param); });

}  // namespace
}  // namespace ballast::test
