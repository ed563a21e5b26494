#include <filesystem>
#include <gtest/gtest.h>
#include <sstream>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

/// Folder, mpirun, ranks, what to do once step 3 is done. mpirun dies of a SIGUSR1 that comes as it
/// ends, unless that is ignored.
constexpr const char* kSignaledJob = R"sh(
cd '{0}'
echo 'echo $$ >>'"'{0}/pids'"'; exec "$@"' >wrapper
(trap '' USR1 && exec {1} -n {2} sh ./wrapper "$@") &
job=$!
until grep -q '"step":3,' run/log.jsonl 2>/dev/null; do sleep 0.05; done
{3}
wait $job
)sh";

class Endings : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    folder_ = fresh_folder();
    keys_ = small_training(make_dataset(folder_), folder_ + "/run");
  }

  void expect_saved(const std::string& kill, const std::string& said);

  /// A launcher that runs `script`; "$@" is mpirun and the program.
  [[nodiscard]] std::string around_bash(const std::string& script) const {
    write_file(folder_ + "/script", script);
    return fmt::format("bash '{}/script' {} -n {}", folder_, BALLAST_MPIRUN, GetParam());
  }

  std::string folder_;
  Keys keys_;
};

/// Runs the training and signals it as `kill` says, once step 3 is done: $job is mpirun, $(cat
/// pids) are the ranks. It must save, and come to the same end as an undisturbed run afterwards.
void Endings::expect_saved(const std::string& kill, const std::string& said) {
  auto straight = keys_;
  straight["run.dir"] = folder_ + "/straight";
  ASSERT_EQ(invoke(train_command(straight), {.ranks = 1}).exit_code, 0);

  write_file(folder_ + "/script",
             fmt::format(kSignaledJob, folder_, BALLAST_MPIRUN, GetParam(), kill));
  const auto outcome =
      invoke(train_command(keys_), {.launcher = fmt::format("bash '{}/script'", folder_)});
  EXPECT_EQ(outcome.exit_code, 75) << outcome.err << outcome.out;
  EXPECT_NE(outcome.out.find(said), std::string::npos) << outcome.out;
  const auto stopped = records(folder_ + "/run").size();
  EXPECT_GE(stopped, 3u);
  EXPECT_LT(stopped, 50u);

  keys_["checkpoint.resume"] = "true";
  const auto resumed = invoke(train_command(keys_), {.ranks = GetParam()});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(resumed.out.find("without saving"), std::string::npos) << resumed.out;
  EXPECT_EQ(trajectory(folder_ + "/run"), trajectory(folder_ + "/straight"));
}

TEST_P(Endings, AUserSignalSavesAndAsksToBeRunAgain) {
  expect_saved("kill -USR1 $job", "SIGUSR1 asked to stop: saving step ");
}

TEST_P(Endings, MoreSignalsToAllOfAJobChangeNothing) {
  expect_saved(R"sh(
while kill -USR1 $job; do
  kill -USR1 $(cat pids)
  kill -TERM $(cat pids)
  sleep 0.01
done 2>/dev/null &)sh",
               "asked to stop: saving step ");
}

TEST_P(Endings, TerminationOfARankSavesTheJob) {
  expect_saved("kill -TERM $(head -n 1 pids)", "SIGTERM asked to stop: saving step ");
}

TEST_P(Endings, AnInterruptOfARankSavesTheJob) {
  expect_saved("kill -INT $(head -n 1 pids)", "SIGINT asked to stop: saving step ");
}

TEST_P(Endings, AHangUpOfARankSavesTheJob) {
  expect_saved("kill -HUP $(head -n 1 pids)", "SIGHUP asked to stop: saving step ");
}

TEST_P(Endings, ASignalBeforeTheFirstStepIsAClearEnd) {
  // From when a rank has its second thread on, which MPI starts as it begins. No program can take
  // what meets it before its first line.
  const auto outcome = invoke(train_command(keys_), {.launcher = around_bash(R"sh(
cd "$(dirname "$0")"
echo 'echo $$ >>pids; exec "$@"' >wrapper
mpirun=() # up to the program
while [[ $1 != */ballast ]]; do mpirun+=("$1"); shift; done
"${mpirun[@]}" sh ./wrapper "$@" &
job=$!
until [[ -s pids ]]; do sleep 0.01; done
rank=$(head -n 1 pids) threads=()
until ((${#threads[@]} > 1)); do threads=(/proc/$rank/task/*); done
while kill -USR1 $rank; do sleep 0.01; done 2>/dev/null &
wait $job
)sh")});
  EXPECT_EQ(outcome.exit_code, 75) << outcome.err << outcome.out;
  EXPECT_NE(outcome.err.find("ballast: stopped: SIGUSR1 asked to stop before the first step"),
            std::string::npos)
      << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/run/checkpoints/step-1")) << outcome.out;

  const auto again = invoke(train_command(keys_), {.ranks = GetParam()});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(records(folder_ + "/run").size(), 50u);
}

TEST(ReaderGone, SavesAndGoesOnInItsLog) {
  const std::string folder = fresh_folder();
  auto keys = small_training(make_dataset(folder), folder + "/run");
  keys["run.steps"] = "400";
  write_file(folder + "/script", fmt::format(R"sh(
{{ "$@"; echo $? >'{0}/code'; }} | head -n 20
exit $(cat '{0}/code')
)sh",
                                             folder));
  const auto outcome =
      invoke(train_command(keys), {.launcher = fmt::format("sh '{}/script'", folder)});
  EXPECT_EQ(outcome.exit_code, 75) << outcome.err;
  const std::string log = read_file(folder + "/run/train.log");
  EXPECT_NE(log.find("nobody reads standard output any more: saving step "), std::string::npos)
      << log;
  EXPECT_NE(log.find("done: step "), std::string::npos) << log;
  EXPECT_TRUE(std::filesystem::exists(
      fmt::format("{}/run/checkpoints/step-{}", folder, records(folder + "/run").size())));
}

TEST_P(Endings, ARunThatDidNotSaveIsToldByTheNext) {
  keys_["run.steps"] = "100000";
  write_file(folder_ + "/script", fmt::format(kSignaledJob, folder_, BALLAST_MPIRUN, GetParam(),
                                              "kill -KILL $(cat pids)"));
  const auto killed =
      invoke(train_command(keys_), {.launcher = fmt::format("bash '{}/script'", folder_)});
  EXPECT_NE(killed.exit_code, 75) << killed.out;
  keys_["run.steps"] = "3";
  keys_["checkpoint.resume"] = "true";
  const auto resumed = invoke(train_command(keys_), {.ranks = GetParam()});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("without saving; going on from step 0: "), std::string::npos)
      << resumed.out;
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
  if (GetParam() == 1) GTEST_SKIP() << "nobody is left to name it";
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
    const std::string log = read_file(folder_ + "/run/train.log");
    EXPECT_NE(log.find(part), std::string::npos) << part << "\nin: " << log;
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
