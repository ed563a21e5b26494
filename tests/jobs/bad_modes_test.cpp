#include <gtest/gtest.h>

#include "support/sanitized.hpp"

#include "jobs/bad_input.hpp"

namespace ballast::test {
namespace {

/// Modes that contradict one another, or what the machine has.
class BadModes : public BadInput {
 protected:
  [[nodiscard]] std::vector<std::string> command_with(const Keys& changes) const {
    Keys keys = keys_;
    for (const auto& [key, value] : changes) keys[key] = value;
    return train_command(keys);
  }
  void expect_refused(const Keys& changes, const std::vector<std::string>& parts) const {
    SCOPED_TRACE(parts.front());
    // A rank alone is started by hand: mpirun takes seconds to end a job of one that failed.
    expect_error(invoke(command_with(changes), {.ranks = is_alone() ? 0 : GetParam()}), kUsage,
                 parts);
    expect_nothing_begun();
  }
  /// Nothing is in the log but why it ended.
  void expect_nothing_begun() const {
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/run/log.jsonl"));
    const std::string log = folder_ + "/run/train.log";
    if (!std::filesystem::exists(log)) return;
    const std::string text = read_file(log);
    EXPECT_TRUE(text.starts_with("ended: ")) << text;
    EXPECT_EQ(text.find("\njob: "), std::string::npos) << text;
  }
  [[nodiscard]] static bool is_alone() { return GetParam() == 1; }
};

TEST_P(BadModes, WordsThatNobodyKnows) {
  expect_refused({{"parallel.sharding", "zero3"}},
                 {"--parallel.sharding", "'zero3'", "full, grad_op, hybrid, none"});
  expect_refused({{"parallel.backend", "nccl"}},
                 {"--parallel.backend", "'nccl'", "auto, region, mpi"});
  expect_refused({{"parallel.wrap", "layer"}}, {"--parallel.wrap", "'layer'", "blocks:N"});
  expect_refused({{"parallel.wrap", "blocks:"}}, {"--parallel.wrap", "'blocks:'", "blocks:N"});
  expect_refused({{"parallel.recompute", "some"}}, {"--parallel.recompute", "'some'", "every:N"});
  expect_refused({{"parallel.recompute", "every:0"}},
                 {"--parallel.recompute", "'every:0'", "N from 1"});
  expect_refused({{"parallel.recompute", "selective:norm"}},
                 {"--parallel.recompute", "'selective:norm'", "selective:attention"});
  expect_refused({{"parallel.reshard_after_forward", "1"}},
                 {"--parallel.reshard_after_forward", "'1'", "true, false or a number"});
  expect_refused({{"precision.param", "fp8"}}, {"--precision.param", "'fp8'", "fp32, bf16, fp16"});
}

TEST_P(BadModes, WrapSizesThatMatchNothing) {
  expect_refused({{"parallel.wrap", "blocks:4"}},
                 {"parallel.wrap = blocks:4 matches nothing", "3 blocks"});
  expect_refused({{"parallel.wrap", "blocks:0"}}, {"parallel.wrap = blocks:0 matches nothing"});
  expect_refused({{"parallel.wrap", "size:1000000000"}},
                 {"parallel.wrap = size:1000000000 matches nothing", "3 blocks"});
}

TEST_P(BadModes, ShardGroupsThatDoNotFit) {
  expect_refused({{"parallel.sharding", "hybrid"}},
                 {"parallel.sharding = hybrid needs parallel.shard_group"});
  expect_refused({{"parallel.sharding", "hybrid"}, {"parallel.shard_group", "2"}},
                 {"parallel.shard_group = 2 does not divide", fmt::format("{} ranks", GetParam())});
  for (const std::string sharding : {"full", "grad_op", "none"}) {
    expect_refused({{"parallel.sharding", sharding}, {"parallel.shard_group", "1"}},
                   {"parallel.shard_group = 1", "hybrid", sharding});
  }
}

TEST_P(BadModes, ReshardingThatContradictsTheSharding) {
  for (const std::string sharding : {"grad_op", "none"}) {
    expect_refused(
        {{"parallel.sharding", sharding}, {"parallel.reshard_after_forward", "3"}},
        {"parallel.reshard_after_forward = 3", "contradicts", "parallel.sharding = " + sharding});
  }
  expect_refused(
      {{"parallel.reshard_after_forward", "2"}},
      {"parallel.reshard_after_forward = 2 does not divide", fmt::format("{}", GetParam())});
}

TEST_P(BadModes, LossScalesThatWouldSpoilGradients) {
  expect_refused({{"precision.param", "fp16"}, {"precision.loss_scaling", "none"}},
                 {"precision.loss_scaling = none", "fp16"});
  for (const std::string scale : {"1000", "0.5", "33554432"}) {
    expect_refused({{"precision.param", "fp16"}, {"precision.initial_scale", scale}},
                   {"precision.initial_scale", scale, "power of two"});
  }
}

/// Weights and gradient rooms of some 24 MiB on three ranks, but checkpoints of 4 MiB a rank.
Keys large_region() {
  return {{"model.dim", "288"},
          {"model.ffn", "701"},
          {"model.layers", "1"},
          {"parallel.backend", "region"}};
}

TEST_P(BadModes, TooLittleSharedMemory) {
  if (is_alone()) GTEST_SKIP() << "a rank alone shares nothing";
  // In blocks of 512 bytes: 8 MiB, twice the largest file of Open MPI.
  const auto launcher = wrapped(folder_, GetParam(), "ulimit -f 16384");
  const auto outcome = invoke(command_with(large_region()), {.launcher = launcher});
  expect_error(
      outcome, kUsage,
      {"cannot share", "of memory between the 3 ranks", "ulimit -f", "parallel.backend = mpi"});
  expect_nothing_begun();

  auto remedy = large_region();
  remedy["parallel.backend"] = "mpi";
  remedy["run.steps"] = "1";
  const auto helped = invoke(command_with(remedy), {.launcher = launcher});
  EXPECT_EQ(helped.exit_code, 0) << helped.err;
}

TEST_P(BadModes, MemoryBelowThePlan) {
  if (kSanitized) GTEST_SKIP() << "no sanitizer starts within a limit";
  auto keys = keys_;
  keys["model.dim"] = "1536";
  keys["model.heads"] = "12";
  keys["model.ffn"] = "4096";
  keys["monitor.every"] = "0";
  const auto launcher =
      wrapped(folder_, GetParam(), fmt::format("ulimit -d {}", 300 << 10));  // in KiB
  expect_error(invoke(train_command(keys), {.launcher = launcher}), kUsage,
               {"a rank needs", "of memory, but ulimit -d leaves 300.0 MiB",
                "the largest items: optimizer ", "gradients ", "would fit: 4 ranks"});
  expect_nothing_begun();
}

TEST_P(BadModes, ActivationsBeyondALimit) {
  if (kSanitized) GTEST_SKIP() << "no sanitizer starts within a limit";
  auto keys = keys_;
  keys["data.micro_batch"] = "24";
  keys["data.seq_len"] = "2048";
  const auto launcher =
      wrapped(folder_, GetParam(), fmt::format("ulimit -d {}", 300 << 10));  // in KiB
  expect_error(invoke(train_command(keys), {.launcher = launcher}), kUsage,
               {"a rank needs", "of memory, but ulimit -d leaves 300.0 MiB",
                "the largest items: activations ", "would fit: data.micro_batch = 1: "});
  expect_nothing_begun();
}

TEST_P(BadModes, ARegionOverTwoHosts) {
  if (is_alone()) GTEST_SKIP() << "two hosts have two ranks";
  for (const std::string sharding : {"full", "none"}) {
    const auto outcome =
        invoke(command_with({{"parallel.backend", "region"}, {"parallel.sharding", sharding}}),
               {.launcher = BALLAST_NETNS_HOSTS " run 1 1 --"});
    expect_error(outcome, kUsage, {"parallel.backend = region", "host", "parallel.backend = mpi"});
    expect_nothing_begun();
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, BadModes, testing::Values(1, 3), ranks_name);

}  // namespace
}  // namespace ballast::test
