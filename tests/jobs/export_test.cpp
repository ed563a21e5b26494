#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

namespace fs = std::filesystem;

/// The loss that `ballast eval` prints.
std::string loss_line(const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto at = outcome.out.find("held out:");
  EXPECT_NE(at, std::string::npos) << outcome.out;
  return at == std::string::npos ? "" : outcome.out.substr(at);
}

std::string weights_of(const std::string& folder) {
  return read_file(folder + "/model.safetensors");
}

Keys exported_training(const std::string& data, const std::string& run_dir) {
  Keys keys = small_training(data, run_dir);
  keys["run.steps"] = "4";
  keys["run.stop_at"] = "2";
  keys["checkpoint.export"] = "hf";
  return keys;
}

TEST(ExportJob, ARunEndsInAFolderThatComputesTheSame) {
  const std::string folder = fresh_folder();
  const std::string data = make_dataset(folder);
  const std::string run = folder + "/run";
  Keys keys = exported_training(data, run);
  const Outcome first = invoke(train_command(keys), {.ranks = 2});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const std::string told = "exported " + run + "/checkpoints/step-2 as " + run + "/export-hf";
  EXPECT_NE(first.out.find(told), std::string::npos) << first.out;
  EXPECT_NE(read_file(run + "/train.log").find(told), std::string::npos);
  const std::string before = weights_of(run + "/export-hf");

  keys["run.stop_at"] = "4";
  keys["checkpoint.resume"] = "true";
  ASSERT_EQ(invoke(train_command(keys), {.ranks = 3}).exit_code, 0);
  EXPECT_NE(weights_of(run + "/export-hf"), before) << "replaced by that of step 4";
  for (const auto& entry : fs::directory_iterator{run}) {
    EXPECT_NE(entry.path().filename().string().front(), '.') << entry.path();
  }

  const auto own = invoke({"eval", "--checkpoint", run}, {.ranks = 2});
  const auto foreign = invoke({"eval", "--checkpoint", run + "/export-hf", "--data", data,
                               "--seq-len", "24", "--micro-batch", "2"},
                              {.ranks = 1});
  EXPECT_EQ(loss_line(own), loss_line(foreign));
}

TEST(ExportJob, AnImportedFolderIsACheckpoint) {
  const std::string folder = fresh_folder();
  const std::string data = make_dataset(folder);
  const std::string run = folder + "/run";
  ASSERT_EQ(invoke(train_command(exported_training(data, run)), {.ranks = 2}).exit_code, 0);
  const std::string imported = folder + "/imported";
  const Outcome made = invoke({"import", run + "/export-hf", "--output", imported}, {.ranks = 2});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_NE(made.out.find("moments of zero, no dataset"), std::string::npos) << made.out;
  EXPECT_EQ(invoke({"inspect", imported}).exit_code, 0);

  const std::vector<std::string> shape{"--data", data, "--seq-len", "24", "--micro-batch", "2"};
  std::vector<std::string> eval{"eval", "--checkpoint", imported};
  const Outcome without = invoke(eval);
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_NE(without.err.find("--data is needed"), std::string::npos) << without.err;
  eval.insert(eval.end(), shape.begin(), shape.end());
  EXPECT_EQ(loss_line(invoke(eval)), loss_line(invoke({"eval", "--checkpoint", run})));

  const Outcome spoken =
      invoke({"generate", "--checkpoint", imported, "--prompt", "He", "--tokens", "3"});
  EXPECT_EQ(spoken.exit_code, 0) << spoken.err;
  const Outcome ids =
      invoke({"generate", "--checkpoint", imported, "--prompt-ids", "72 101", "--tokens", "3"});
  EXPECT_EQ(ids.exit_code, 0) << ids.err;
  EXPECT_EQ(ids.out, spoken.out) << "bytes are their own ids";

  Keys keys = small_training(data, folder + "/next");
  std::erase_if(keys, [](const auto& key) { return key.first.starts_with("model."); });
  keys["run.init"] = imported;
  keys["run.steps"] = "1";
  const Outcome next = invoke(train_command(keys), {.ranks = 2});
  EXPECT_EQ(next.exit_code, 0) << next.err;
}

TEST(ExportJob, RefusesAModelWithoutAFamilyBeforeTheFirstStep) {
  const std::string folder = fresh_folder();
  Keys keys = exported_training(make_dataset(folder), folder + "/run");
  keys["model.norm"] = "layer";
  const Outcome outcome = invoke(train_command(keys), {.ranks = 1});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("checkpoint.export = hf: "), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(folder + "/run"));
}

}  // namespace
}  // namespace ballast::test
