#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

namespace fs = std::filesystem;

/// Trainings that save every third step, on disks and from checkpoints that are not as they should
/// be.
class Saving : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    folder_ = fresh_folder();
    run_ = folder_ + "/run";
    keys_ = small_training(make_dataset(folder_), run_);
    keys_["run.steps"] = "12";
    keys_["checkpoint.every"] = "3";
    auto straight = keys_;
    straight["run.dir"] = folder_ + "/straight";
    straight_ = run_training(straight, {.ranks = 1});
  }

  /// The same to its end.
  void expect_same_end() { EXPECT_EQ(run_training(keys_, {.ranks = GetParam()}), straight_); }
  [[nodiscard]] Outcome train() const {
    return invoke(train_command(keys_), {.ranks = GetParam()});
  }
  /// Trains in a folder of a disk of that size; what is on it at the end is left in run_.
  Outcome train_on_disk(const std::string& size) {
    auto keys = keys_;
    keys["run.dir"] = folder_ + "/disk/run";
    fs::create_directory(folder_ + "/disk");
    write_file(folder_ + "/script", fmt::format(R"sh(
mount -t tmpfs -o size={3} tmpfs '{0}/disk'
{1} -n {2} "$@"
code=$?
cp -r '{0}/disk/run' '{0}/run'
exit $code
)sh",
                                                folder_, BALLAST_MPIRUN, GetParam(), size));
    return invoke(
        train_command(keys),
        {.launcher = fmt::format("unshare --map-root-user --mount sh '{}/script'", folder_)});
  }
  [[nodiscard]] std::string checkpoint(int step) const {
    return fmt::format("{}/checkpoints/step-{}", run_, step);
  }
  void damage(int step) const {
    for (const auto& entry : fs::directory_iterator{checkpoint(step)}) {
      if (entry.path().extension() == ".h5") fs::resize_file(entry.path(), 2000);
    }
  }
  static void expect_in(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin: " << text;
  }

  std::string folder_;
  std::string run_;
  Keys keys_;
  Result straight_;
};

TEST_P(Saving, ADamagedNewestCheckpointIsSetAsideAndTheOneBeforeItTaken) {
  keys_["run.stop_at"] = "9";
  ASSERT_EQ(train().exit_code, 0);
  damage(9);
  keys_.erase("run.stop_at");
  keys_["checkpoint.resume"] = "true";
  expect_same_end();
  EXPECT_TRUE(fs::exists(checkpoint(9) + ".damaged"));
  const std::string log = read_file(run_ + "/train.log");
  expect_in(log, "step-9/rank-00000-of-");
  expect_in(log, "renamed to '");
  expect_in(log, "step-6 at step 6");
}

TEST_P(Saving, WhereNoneIsWholeNothingIsBegunAnew) {
  keys_["run.stop_at"] = "6";
  ASSERT_EQ(train().exit_code, 0);
  damage(3);
  damage(6);
  keys_["checkpoint.resume"] = "true";
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto outcome = train();
    EXPECT_EQ(outcome.exit_code, 3) << outcome.out;
    expect_in(outcome.err, "none of the 2 checkpoints of run.dir");
  }
  const auto inspected = invoke({"inspect", "--verify", run_});
  EXPECT_EQ(inspected.exit_code, 3);
  expect_in(inspected.out, "step-6             damaged: ");
}

TEST_P(Saving, InspectSaysWhichAreWhole) {
  keys_["checkpoint.keep"] = "9";
  ASSERT_EQ(train().exit_code, 0);
  EXPECT_EQ(invoke({"inspect", "--verify", run_}).exit_code, 0);
  damage(6);
  const auto inspected = invoke({"inspect", "--verify", run_});
  EXPECT_EQ(inspected.exit_code, 3);
  for (const int step : {3, 9, 12}) expect_in(inspected.out, fmt::format("step-{}", step));
  expect_in(inspected.out, "whole\n");
  expect_in(inspected.out, "damaged: checkpoint file '");
}

/// A disk with room for one checkpoint and a half: the first is saved, no other; the training goes
/// to its end all the same, whose state is then lost, and so it is no good end.
TEST_P(Saving, AFullDiskEndsNoTrainingUntilItsLastSave) {
  keys_["checkpoint.give_up"] = "0";
  keys_["checkpoint.keep"] = "1";
  const auto outcome = train_on_disk("1500k");
  EXPECT_EQ(outcome.exit_code, 70) << outcome.err << outcome.out;
  for (const char* part : {"make room", "step 6 could not be saved", "step 9 could not be saved",
                           "step 12 is lost: the last checkpoint is step 3", "done: step 12"}) {
    expect_in(outcome.out, part);
  }
  EXPECT_EQ(trajectory(run_), straight_.trajectory);
  keys_["checkpoint.resume"] = "true";
  expect_same_end();
}

TEST_P(Saving, SavesThatFailInARowEndTheRun) {
  keys_["checkpoint.give_up"] = "2";
  const auto outcome = train_on_disk("1500k");
  EXPECT_EQ(outcome.exit_code, 70) << outcome.err << outcome.out;
  expect_in(outcome.out, "stopped: 2 saves in a row failed (checkpoint.give_up)");
  EXPECT_EQ(outcome.out.find("step 12/12"), std::string::npos);
}

TEST_P(Saving, WithoutRoomForOneCheckpointNoStepIsTaken) {
  const auto outcome = train_on_disk("200k");
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err << outcome.out;
  expect_in(outcome.err, "no room for a checkpoint");
  EXPECT_EQ(outcome.out.find("step  1/12"), std::string::npos) << outcome.out;
}

TEST_P(Saving, ALogThatCannotBeWrittenEndsNoTraining) {
  fs::create_directory(run_);
  fs::create_symlink("/dev/full", run_ + "/train.log");
  const auto outcome = train();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  expect_in(outcome.out, "train.log' cannot be written: No space left on device");
  EXPECT_EQ(state_hash(outcome.out), straight_.hash);
}

TEST_P(Saving, ByTheClockToo) {
  keys_["checkpoint.every"] = "0";
  keys_["checkpoint.every_minutes"] = "1e-9";
  keys_["checkpoint.keep"] = "2";
  keys_["checkpoint.keep_every"] = "4";
  expect_same_end();
  for (const int step : {4, 8, 10, 11, 12}) EXPECT_TRUE(fs::exists(checkpoint(step))) << step;
  for (const int step : {3, 5, 9}) EXPECT_FALSE(fs::exists(checkpoint(step))) << step;
}

TEST_P(Saving, WhatChangesOnResumeIsTold) {
  keys_["schedule.warmup"] = "0";
  ASSERT_EQ(train().exit_code, 0);
  keys_["run.steps"] = "24";
  keys_["run.stop_at"] = "14";
  keys_["optim.clip"] = "0.5";
  keys_["checkpoint.resume"] = "true";
  const auto outcome = train();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_in(outcome.out, "changed since the checkpoint: optim.clip: 1 → 0.5");
  expect_in(outcome.out, "changed since the checkpoint: run.steps: 12 → 24");
  expect_in(outcome.out, "warning: the learning rate jumps: it was 0.00e+00 at step 12");
}

/// SIGSTOP and SIGCONT for all ranks, as a scheduler suspends a job: longer than ranks wait for
/// each other.
TEST_P(Saving, AJobThatIsSuspendedAsAWholeGoesOn) {
  keys_["run.steps"] = "400";
  keys_["parallel.timeout_s"] = "2";
  write_file(folder_ + "/wrapper", "#!/bin/sh\necho $$ >>'" + folder_ + "/pids'\nexec \"$@\"\n");
  fs::permissions(folder_ + "/wrapper", fs::perms::owner_all);
  write_file(folder_ + "/script", fmt::format(R"sh(
cd '{0}'
{1} -n {2} ./wrapper "$@" &
job=$!
until grep -q '"step":5,' run/log.jsonl 2>/dev/null; do sleep 0.05; done
kill -STOP $(cat pids)
sleep 5
kill -CONT $(cat pids)
wait $job
)sh",
                                              folder_, BALLAST_MPIRUN, GetParam()));
  const auto outcome =
      invoke(train_command(keys_), {.launcher = fmt::format("sh '{}/script'", folder_)});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Ranks, Saving, testing::Values(1, 3),
                         [](const auto& ranks) { return fmt::format("np{}", ranks.param); });

}  // namespace
}  // namespace ballast::test
