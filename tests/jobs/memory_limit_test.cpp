#include <filesystem>
#include <gtest/gtest.h>

#include "jobs/jobs.hpp"

namespace ballast::test {
namespace {

/// 40 million parameters, 610 MiB with gradients and moments, and hardly any tokens.
Keys large_training(const std::string& data, const std::string& run_dir) {
  auto keys = small_training(data, run_dir);
  keys["model.dim"] = "640";
  keys["model.layers"] = "8";
  keys["model.heads"] = keys["model.kv_heads"] = "10";
  keys["model.ffn"] = "1728";
  keys["data.seq_len"] = "16";
  keys["data.micro_batch"] = "1";
  keys["data.global_batch"] = "4";
  keys["run.steps"] = "2";
  return keys;
}

/// mpirun where each process may have so much private memory.
Launch limited(int ranks, int limit_kib) {
  return {.launcher = fmt::format("sh -c 'ulimit -d {} && exec \"$@\"' sh " BALLAST_MPIRUN " -n {}",
                                  limit_kib, ranks)};
}

constexpr int kLimitKib = 500'000;

TEST(MemoryLimit, APlanBeyondItIsRefusedBeforeAnythingIsAllocated) {
  const auto folder = fresh_folder();
  const auto keys = large_training(make_dataset(folder), folder + "/run");
  const auto outcome = invoke(train_command(keys), limited(1, kLimitKib));
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err << outcome.out;
  for (const char* part : {"a rank needs ", "ulimit -d leaves 488.3 MiB",
                           "the largest items: optimizer", "would fit: 2 ranks on this host"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << "\n" << outcome.err;
  }
  EXPECT_FALSE(std::filesystem::exists(folder + "/run/log.jsonl"));
}

TEST(MemoryLimit, WhatDoesNotFitOneRankTrainsOnFour) {
  const auto folder = fresh_folder();
  const auto keys = large_training(make_dataset(folder), folder + "/run");
  const auto outcome = invoke(train_command(keys), limited(4, kLimitKib));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  EXPECT_NE(state_hash(outcome.out), "none");
}

}  // namespace
}  // namespace ballast::test
