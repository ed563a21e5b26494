#include <gtest/gtest.h>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

/// A training that is stopped in one mode and goes on in another.
class ResumeInAnotherMode : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fresh_folder();
    keys_ = small_training(make_dataset(folder_), folder_ + "/straight");
    keys_["run.steps"] = "13";
  }

  /// Straight through on one rank; then up to step 6 on four ranks in groups of two, and to the end
  /// on three ranks, by messages.
  void expect_same_bits(const Keys& precision) {
    keys_.insert(precision.begin(), precision.end());
    const auto straight = run_training(keys_, {.ranks = 1});
    ASSERT_EQ(straight.trajectory.size(), 13u);

    keys_["run.dir"] = folder_ + "/resumed";
    auto first = keys_;
    first["run.stop_at"] = "6";
    first["parallel.sharding"] = "hybrid";
    first["parallel.shard_group"] = "2";
    first["parallel.backend"] = "region";
    EXPECT_EQ(run_training(first, {.ranks = 4}).trajectory.size(), 6u);

    auto second = keys_;
    second["checkpoint.resume"] = "true";
    second["parallel.backend"] = "mpi";
    second["parallel.recompute"] = "full";
    second["parallel.wrap"] = "blocks:2";
    EXPECT_EQ(run_training(second, {.ranks = 3}), straight);
  }

  [[nodiscard]] std::vector<double> loss_scales(const std::string& run) const {
    std::vector<double> scales;
    for (const auto& record : records(folder_ + "/" + run))
      scales.push_back(record.at("loss_scale"));
    return scales;
  }

  std::string folder_;
  Keys keys_;
};

TEST_F(ResumeInAnotherMode, InFp32) { expect_same_bits({}); }

TEST_F(ResumeInAnotherMode, InBf16) {
  expect_same_bits({{"precision.param", "bf16"}, {"precision.residual", "bf16"}});
}

TEST_F(ResumeInAnotherMode, InFp16WithTheStateOfItsLossScale) {
  // The stop at step 6 lies within an interval: the count of good steps must survive it.
  expect_same_bits({{"precision.param", "fp16"},
                    {"precision.initial_scale", "256"},
                    {"precision.growth_interval", "4"}});
  const auto scales = loss_scales("straight");
  EXPECT_EQ(scales, (std::vector<double>{256, 256, 256, 256, 512, 512, 512, 512, 1024, 1024, 1024,
                                         1024, 2048}));
  EXPECT_EQ(loss_scales("resumed"), scales);
}

}  // namespace
}  // namespace ballast::test
