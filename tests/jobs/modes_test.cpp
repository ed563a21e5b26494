#include "jobs/modes.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>

namespace ballast::test {
namespace {

/// How a training is run does not change a bit of it.
class Modes : public testing::TestWithParam<Mode> {
 protected:
  static std::string folder() { return shared_folder("modes"); }
  static const std::string& data() {
    static const std::string path = make_dataset(folder());
    return path;
  }

  /// Steps that train, and in fp16 others that are skipped.
  static void expect_meaningful(const Result& result, const Keys& keys) {
    EXPECT_EQ(result.trajectory.size(), 5u);
    EXPECT_NE(result.hash, "none");
    const auto skipped = std::ranges::count_if(
        result.trajectory, [](const std::string& line) { return line.ends_with(" null"); });
    EXPECT_LT(skipped, 5);
    EXPECT_EQ(skipped > 0, keys.at("precision.param") == "fp16");
  }

  /// The training on one rank in the plainest mode, run once.
  static const Result& reference_of(const Mode& mode) {
    static std::map<std::string, Result> results;
    const auto [entry, is_new] = results.try_emplace(mode.training());
    if (is_new) {
      const auto keys = mode.reference().keys(data(), folder() + "/" + mode.training());
      entry->second = run_training(keys, {.ranks = 1});
      expect_meaningful(entry->second, keys);
    }
    return entry->second;
  }
};

TEST_P(Modes, HaveTheBitsOfOneRank) {
  const Mode& mode = GetParam();
  const Result& reference = reference_of(mode);
  const auto run_dir = folder() + "/run";
  std::filesystem::remove_all(run_dir);
  EXPECT_EQ(run_training(mode.keys(data(), run_dir), {.ranks = mode.ranks()}), reference);
  const auto log = read_file(run_dir + "/train.log");
  for (const auto& entry : mode.log_entries()) {
    EXPECT_NE(log.find(entry), std::string::npos) << entry << "\nin: " << log;
  }
}

/// BALLAST_MATRIX = "all", or how many of all modes to draw, with BALLAST_MATRIX_SEED.
std::vector<Mode> asked_for() {
  const char* const asked = std::getenv("BALLAST_MATRIX");
  if (asked == nullptr) return {};
  const auto all = matrix_of_modes();
  if (asked == std::string{"all"}) return all;
  const char* const seed = std::getenv("BALLAST_MATRIX_SEED");
  std::mt19937 dice{seed == nullptr ? 1u : static_cast<unsigned>(std::stoul(seed))};
  std::vector<Mode> drawn;
  std::ranges::sample(all, std::back_inserter(drawn), std::stol(asked), dice);
  return drawn;
}

std::string name_of(const testing::TestParamInfo<Mode>& info) { return info.param.name(); }

INSTANTIATE_TEST_SUITE_P(Cover, Modes, testing::ValuesIn(cover_of_modes()), name_of);
INSTANTIATE_TEST_SUITE_P(Matrix, Modes, testing::ValuesIn(asked_for()), name_of);

}  // namespace
}  // namespace ballast::test
