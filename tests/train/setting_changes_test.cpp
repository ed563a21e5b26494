#include "train/settings/setting_changes.hpp"

#include <gtest/gtest.h>

namespace ballast::train {
namespace {

using Lines = std::vector<std::string>;

TEST(SettingChanges, NamesWhatIsOtherNewOrGone) {
  const std::string before = "[data]\nseq_len = 24\npath = a.h5\n\n[optim]\nlr = 0.1\n";
  const std::string now = "[data]\nseq_len = 24\npath = b.h5\n\n[schedule]\nsteps = 9\n";
  EXPECT_EQ(setting_changes(before, now),
            (Lines{"data.path: a.h5 → b.h5", "optim.lr: 0.1 → (not set)",
                   "schedule.steps: (not set) → 9"}));
  EXPECT_EQ(setting_changes(now, now), Lines{});
}

TEST(SettingChanges, WhereARunLiesIsNoSetting) {
  EXPECT_EQ(setting_changes("[run]\ndir = a\nstop_at = 3\n[checkpoint]\nresume = false\n",
                            "[run]\ndir = b\n[checkpoint]\nresume = true\n"),
            Lines{});
}

TEST(SettingChanges, OlderCheckpointsTellNone) {
  EXPECT_EQ(setting_changes("", "[optim]\nlr = 0.1\n"), Lines{});
}

}  // namespace
}  // namespace ballast::train
