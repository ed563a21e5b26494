#include "calibrate/estimate.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "calibrate/made_up.hpp"

namespace ballast::calibrate {
namespace {

using test::broken;
using test::judged;
using test::learning;
using test::pointers;

Settings one_feature() {
  Settings settings;
  settings.features = {monitor::Feature::attention_growth};
  return settings;
}

Estimate estimate_of(const std::vector<JudgedRun>& runs) {
  return estimate(pointers(runs), one_feature());
}

std::vector<JudgedRun> clear_cut(const monitor::Architecture& model = {"pre", false, 64, 4}) {
  std::vector<JudgedRun> made;
  for (const double growth : {4.0, 4.2, 4.4}) made.push_back(judged(broken(301), growth, model));
  for (const double growth : {0.8, 1.0, 1.2}) made.push_back(judged(learning(), growth, model));
  return made;
}

TEST(Estimate, LeavesSingleRunsOutWhereTheyAreOfOneSize) {
  const Estimate found = estimate_of(clear_cut());
  EXPECT_EQ(found.fold, Fold::run);
  EXPECT_EQ(found.caught.text().substr(0, 3), "3/3");
  // Without the loudest healthy run the threshold lies below it.
  EXPECT_EQ(found.false_alarms.of, 3u);
  EXPECT_EQ(found.false_alarms.hits, 1u);
  EXPECT_EQ(found.lead, 304.0 - 100.0);
  EXPECT_LT(found.brier, found.brier_blind);
  // Of every look at those that break it is true that they break within 400 steps.
  EXPECT_DOUBLE_EQ(found.brier_blind, 0.25);
  EXPECT_EQ(found.too_early + found.unjudged, 0u);
}

TEST(Estimate, LeavesSizesOutWhereThereAreSeveral) {
  auto made = clear_cut();
  // In the other size growth means the opposite, which no fit on the first can know.
  made.push_back(judged(broken(301), 0.0, {"pre", false, 64, 8}));
  made.push_back(judged(learning(), 9.0, {"pre", false, 64, 8}));
  const Estimate found = estimate_of(made);
  EXPECT_EQ(found.fold, Fold::size);
  EXPECT_EQ(found.caught.text().substr(0, 3), "3/4") << "the one without growth is missed";
  EXPECT_EQ(found.false_alarms.text().substr(0, 3), "4/4");
  EXPECT_GT(found.brier, found.brier_blind);
}

TEST(Estimate, LeavesOutWhatBrokeTooEarlyAndWhatCannotBeJudged) {
  auto made = clear_cut();
  made.push_back(judged(broken(150), 4.0));
  Estimate found = estimate_of(made);
  EXPECT_EQ(found.too_early, 1u);
  EXPECT_EQ(found.caught.of, 3u);
  made.erase(made.begin(), made.begin() + 2);
  made.pop_back();
  found = estimate_of(made);  // one that broke: without it there is no fit
  EXPECT_EQ(found.unjudged, 1u);
  EXPECT_EQ(found.caught.of, 0u);
  EXPECT_EQ(found.false_alarms.of, 3u);
  EXPECT_TRUE(std::isnan(found.lead));
}

TEST(Estimate, WhatNeverLearnedIsCaughtWithoutALead) {
  auto made = clear_cut();
  for (std::size_t i = 0; i < 3; ++i) made[i] = judged(learning(400, 3.0), 4.0);
  const Estimate found = estimate_of(made);
  EXPECT_EQ(found.caught.hits, 3u);
  EXPECT_TRUE(std::isnan(found.lead));
}

}  // namespace
}  // namespace ballast::calibrate
