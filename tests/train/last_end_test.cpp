#include "train/log/last_end.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "checkpoint/folders.hpp"
#include "checkpoint/manifest.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::train {
namespace {

/// A run directory whose log ends at `logged`, with whole checkpoints of the steps `saved`.
class PastRun {
 public:
  PastRun(std::uint64_t logged, std::initializer_list<std::uint64_t> saved) {
    std::ofstream log{folder_ / "log.jsonl"};
    for (std::uint64_t step = 1; step <= logged; ++step) log << "{\"step\":" << step << "}\n";
    for (const std::uint64_t step : saved) {
      const auto checkpoint = checkpoint::step_folder(folder_.path(), step);
      std::filesystem::create_directories(checkpoint);
      std::ofstream{checkpoint / checkpoint::kManifestName} << "{}";
    }
  }

  [[nodiscard]] std::string said_from(std::uint64_t step) const {
    return describe_unsaved_end(folder_.path(), step).value_or("");
  }

 private:
  test::TemporaryFolder folder_;
};

TEST(LastEnd, NamesTheStepsThatAreDoneAgain) {
  EXPECT_EQ((PastRun{17, {5, 10}}.said_from(10)),
            "the last run ended at step 17 without saving; going on from step 10: 7 step(s) are "
            "repeated");
  EXPECT_EQ((PastRun{17, {}}.said_from(0)),
            "the last run ended at step 17 without saving; going on from step 0: 17 step(s) are "
            "repeated");
}

TEST(LastEnd, HasNothingToSayOfARunThatSaved) {
  EXPECT_EQ((PastRun{17, {10, 17}}.said_from(17)), "");
  EXPECT_EQ((PastRun{10, {17}}.said_from(17)), "") << "log.every is more than 1";
  EXPECT_EQ((PastRun{17, {10, 17}}.said_from(10)), "") << "somebody chose to go back";
}

TEST(LastEnd, HasNothingToSayOfANewRun) {
  EXPECT_EQ(describe_unsaved_end(test::TemporaryFolder{}.path(), 0), std::nullopt);
}

}  // namespace
}  // namespace ballast::train
