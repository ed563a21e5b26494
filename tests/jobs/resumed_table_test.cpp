#include <filesystem>
#include <gtest/gtest.h>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

/// Trainings whose products are served as a table of their own says.
class ResumedTable : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fresh_folder();
    keys_ = small_training(make_dataset(folder_), folder_ + "/stopped");
    keys_["run.steps"] = "5";
    // Nothing is left to the shipped rules, which say something else in more lines.
    write_file(
        table(),
        kernels::GemmTable{
            {{.type = ElementType::fp32, .m = {0, 40}, .library = kernels::GemmLibrary::openblas},
             {.library = kernels::GemmLibrary::openblas}}}
            .text());
  }

  [[nodiscard]] std::string table() const { return folder_ + "/table.txt"; }
  [[nodiscard]] std::string inspected() const {
    return invoke({"inspect", keys_.at("run.dir")}).out;
  }
  /// Stops at step 2, with these keys besides.
  void stop_halfway(const Keys& more) {
    auto first = keys_;
    first.insert(more.begin(), more.end());
    first["run.stop_at"] = "2";
    EXPECT_EQ(run_training(first, {.ranks = 2}).trajectory.size(), 2u);
    keys_["checkpoint.resume"] = "true";
  }

  std::string folder_;
  Keys keys_;
};

TEST_F(ResumedTable, IsThatOfTheCheckpointWhereNoneIsGiven) {
  auto straight = keys_;
  straight["run.dir"] = folder_ + "/straight";
  straight["run.gemm_table"] = table();
  const auto expected = run_training(straight, {.ranks = 1});
  ASSERT_EQ(expected.trajectory.size(), 5u);

  stop_halfway({{"run.gemm_table", table()}});
  EXPECT_NE(inspected().find("gemm_table         2 rules, hash "), std::string::npos)
      << inspected();
  std::filesystem::remove(table());
  EXPECT_EQ(run_training(keys_, {.ranks = 3}), expected);
}

TEST_F(ResumedTable, IsRefusedWhereAnotherIsGiven) {
  stop_halfway({});
  EXPECT_NE(inspected().find("gemm_table         shipped"), std::string::npos) << inspected();
  keys_["run.gemm_table"] = table();
  const auto outcome = invoke(train_command(keys_), {.ranks = 2});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.err.find("other numerics"), std::string::npos) << outcome.err;
}

TEST_F(ResumedTable, MayBeWhatTheRunDirectoryHolds) {
  stop_halfway({{"run.gemm_table", table()}});
  keys_["run.gemm_table"] = folder_ + "/stopped/gemm_table.txt";
  EXPECT_EQ(run_training(keys_, {.ranks = 2}).trajectory.size(), 5u);
}

}  // namespace
}  // namespace ballast::test
