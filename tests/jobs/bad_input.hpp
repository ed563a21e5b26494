#pragma once

#include <filesystem>
#include <gtest/gtest.h>

#include "jobs/jobs.hpp"

namespace ballast::test {

/// Everything a person can get wrong, at one rank and at three: one clear error, the contract's
/// exit code, an end in time.
class BadInput : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    folder_ = fresh_folder();
    data_ = make_dataset(folder_);
    keys_ = small_training(data_, folder_ + "/run");
    keys_["run.steps"] = "2";
  }

  [[nodiscard]] Outcome run(const std::vector<std::string>& command) const {
    return invoke(command, {.ranks = GetParam()});
  }
  [[nodiscard]] Outcome train() const { return run(train_command(keys_)); }
  void train_well() const {
    const auto outcome = train();
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  [[nodiscard]] Outcome resume() {
    keys_["checkpoint.resume"] = "true";
    keys_["run.steps"] = "4";
    return train();
  }

  /// One error, from one rank, that says all of this.
  static void expect_error(const Outcome& outcome, int exit_code,
                           const std::vector<std::string>& parts) {
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err << outcome.out;
    for (const auto& part : parts) {
      EXPECT_NE(outcome.err.find(part), std::string::npos) << part << "\nin: " << outcome.err;
    }
    const std::string label = "ballast: error: ";
    const auto first = outcome.err.find(label);
    EXPECT_NE(first, std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find(label, first + 1), std::string::npos) << outcome.err;
  }

  std::string folder_;
  std::string data_;
  Keys keys_;
};

inline constexpr int kUsage = 2;
inline constexpr int kData = 3;

/// A launcher in which `script` stands between mpirun and the program, "$@".
inline std::string wrapped(const std::string& folder, int ranks, const std::string& script) {
  write_file(folder + "/wrapper", "#!/bin/sh\nset -e\n" + script + "\nexec \"$@\"\n");
  std::filesystem::permissions(folder + "/wrapper", std::filesystem::perms::owner_all);
  return fmt::format("{} -n {} '{}/wrapper'", BALLAST_MPIRUN, ranks, folder);
}

inline std::string ranks_name(const testing::TestParamInfo<int>& ranks) {
  return fmt::format("np{}", ranks.param);
}

}  // namespace ballast::test
