#include <gtest/gtest.h>

#include "jobs/bad_input.hpp"

namespace ballast::test {
namespace {

/// What a training says of its data before the first step, and what it refuses.
class TrainingData : public BadInput {
 protected:
  /// A dataset of JSON documents, 45 bytes each.
  void prepare_documents(int count, const std::string& weight, const std::string& split) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      lines += R"({"text":")" + std::string(45, static_cast<char>('a' + i % 26)) + R"(")" + weight +
               "}\n";
    }
    write_file(folder_ + "/chat.jsonl", lines);
    data_ = folder_ + "/chat.h5";
    const auto outcome = invoke({"prepare", "--input", folder_ + "/chat.jsonl", "--output", data_,
                                 "--documents", "--split", split});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    keys_["data.path"] = data_;
  }
  void expect_said(const Outcome& outcome, const std::vector<std::string>& parts) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    for (const auto& part : parts) {
      EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\nin: " << outcome.out;
    }
  }
};

TEST_P(TrainingData, SaysWindowsEpochsAndShare) {
  const auto outcome = train();
  expect_said(outcome, {"data: 15,", " windows of 24 tokens (", " 0.00 epochs in 2 steps\n",
                        "data verified: all of "});
  EXPECT_EQ(outcome.out.find("in no window"), std::string::npos);
}

TEST_P(TrainingData, SaysWhereAStepRepeatsWindows) {
  keys_["data.path"] = make_dataset(folder_, 500);  // 20 windows, 24 sequences a step
  expect_said(train(), {"; each step repeats windows"});
}

TEST_P(TrainingData, WithoutAWeightIsRefused) {
  prepare_documents(2000, R"(,"weight":0)", "blocks");
  expect_error(train(), kData, {"chat.h5", "no training token with a weight above 0"});
  keys_["data.verify"] = "header";
  expect_error(train(), kData, {"chat.h5", "no training token with a weight above 0"});
}

TEST_P(TrainingData, HeaderOnlyIsSaidAndTrainsTheSame) {
  const auto whole = train();
  keys_["run.dir"] += "2";
  keys_["data.verify"] = "header";
  const auto header = train();
  expect_said(header, {"data verified: the header of ", "each block before its first use"});
  EXPECT_EQ(state_hash(header.out), state_hash(whole.out));
  keys_["run.dir"] += "3";
  keys_["data.verify"] = "full";
  EXPECT_EQ(state_hash(train().out), state_hash(whole.out));
}

INSTANTIATE_TEST_SUITE_P(Ranks, TrainingData, testing::Values(1, 3), ranks_name);

}  // namespace
}  // namespace ballast::test
