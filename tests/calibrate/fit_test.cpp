#include "calibrate/fit.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "calibrate/made_up.hpp"

namespace ballast::calibrate {
namespace {

using monitor::Feature;
using test::broken;
using test::judged;
using test::learning;
using test::pointers;

constexpr std::size_t at(Feature feature) { return static_cast<std::size_t>(feature); }

Settings one_feature() {
  Settings settings;
  settings.features = {Feature::attention_growth};
  return settings;
}

/// Runs that break after much growth, and healthy ones after little.
std::vector<JudgedRun> runs() {
  std::vector<JudgedRun> made;
  for (const double growth : {3.0, 4.0, 5.5}) made.push_back(judged(broken(301), growth));
  for (const double growth : {0.5, 1.0, 1.5, 3.5}) made.push_back(judged(learning(), growth));
  return made;
}

TEST(Examples, AreTakenOfARunWhileItHasNotBroken) {
  const std::vector<JudgedRun> made{judged(broken(141), 3.0), judged(learning(), 1.0),
                                    judged(learning(400, 3.0), 9.0)};
  const auto found = examples_of(pointers(made), one_feature());
  // One at step 100 before the drift, then those of steps 100, 150, ... 400 of the others.
  ASSERT_EQ(found.size(), 15u);
  EXPECT_EQ(found[0].values, std::vector{3.0});
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].breaks, i < 1 || i >= 8) << i;
    EXPECT_DOUBLE_EQ(found[i].weight, i < 1 ? 1.0 : 1.0 / 7.0) << i;
  }
}

TEST(Examples, BreakWithinTheHorizonOrNot) {
  const std::vector<JudgedRun> made{judged(broken(301), 3.0)};
  Settings settings = one_feature();
  settings.horizon = 120;
  const auto found = examples_of(pointers(made), settings);
  ASSERT_EQ(found.size(), 5u);
  EXPECT_FALSE(found[1].breaks) << "304 > 150 + 120";
  EXPECT_TRUE(found[2].breaks) << "304 <= 200 + 120";
}

TEST(Examples, NeedARunThatCameSoFar) {
  const std::vector<JudgedRun> made{judged(learning(160), 1.0)};
  EXPECT_EQ(examples_of(pointers(made), one_feature()).size(), 2u);
}

TEST(Examples, AreNotTakenOfSpikesAndUnfinishedRuns) {
  std::vector<JudgedRun> made{judged(learning(), 1.0), judged(learning(), 1.0)};
  made[0].label.outcome = Outcome::spike;
  made[1].label.outcome = Outcome::unfinished;
  EXPECT_TRUE(examples_of(pointers(made), one_feature()).empty());
}

TEST(Examples, TakeTheNewestLookThatHasAllValues) {
  auto run = judged(learning(), 1.0);
  for (std::size_t i = 0; i < run.run.looks.size(); ++i) {
    run.run.looks[i].features[0] = static_cast<double>(run.run.looks[i].step);
  }
  run.run.looks[4].features[at(Feature::radius)] = std::nan("");  // of step 100
  Settings settings;
  settings.features = {Feature::radius, Feature::attention_growth};
  const std::vector made{run};
  const auto found = examples_of(pointers(made), settings);
  ASSERT_EQ(found.size(), 7u);
  EXPECT_EQ(found[0].values, (std::vector{0.0, 75.0}));
  EXPECT_EQ(found[1].values, (std::vector{0.0, 150.0}));
  EXPECT_EQ(risks_of(run, monitor::Calibration{}, settings).size(), run.run.looks.size() - 1);
}

TEST(Risks, CountFromTheStartToTheEvent) {
  const auto run = judged(broken(301), 2.0);
  const auto found = in_time(run, monitor::Calibration{}, one_feature());
  EXPECT_EQ(found.front().first, 100u);
  EXPECT_EQ(found.back().first, 300u);
  EXPECT_DOUBLE_EQ(found.front().second, 0.5);
}

TEST(Fit, AlarmsNoHealthyRunUnlessItMay) {
  const auto made = runs();
  Settings settings = one_feature();
  const auto alarms = [&](const monitor::Calibration& calibration) {
    std::size_t healthy = 0;
    for (const auto& run : made) {
      const auto found = in_time(run, calibration, settings);
      healthy += run.label.is_healthy() && found.front().second >= calibration.threshold;
    }
    return healthy;
  };
  const auto strict = fit(pointers(made), settings);
  EXPECT_EQ(alarms(strict), 0u);
  EXPECT_GT(strict.weights[at(Feature::attention_growth)], 0.0);
  settings.false_alarms = 0.25;
  EXPECT_EQ(alarms(fit(pointers(made), settings)), 1u);
  settings.false_alarms = 0.5;
  EXPECT_EQ(alarms(fit(pointers(made), settings)), 2u);
}

TEST(Fit, CoversWhatItsRunsWere) {
  auto made = runs();
  made[0].run.facts.model = {"post", true, 96, 12};
  made[1].run.facts.model = {"pre", false, 64, 3};
  const auto calibration = fit(pointers(made), one_feature());
  EXPECT_EQ(calibration.norm_placements, (std::vector<std::string>{"post", "pre"}));
  EXPECT_EQ(calibration.qk_norm, (std::vector{false, true}));
  EXPECT_EQ(calibration.dim, (std::array<std::size_t, 2>{64, 96}));
  EXPECT_EQ(calibration.layers, (std::array<std::size_t, 2>{3, 12}));
  EXPECT_EQ(calibration.horizon, 400u);
}

TEST(Fit, NeedsBothKinds) {
  const auto made = runs();
  const auto all = pointers(made);
  EXPECT_TRUE(can_fit(all, one_feature()));
  EXPECT_FALSE(can_fit(Runs{all}.first(3), one_feature()));
  EXPECT_FALSE(can_fit(Runs{all}.last(4), one_feature()));
  Settings short_sighted = one_feature();
  short_sighted.horizon = 3;
  EXPECT_FALSE(can_fit(all, short_sighted)) << "no run breaks within 3 steps of a look";
}

}  // namespace
}  // namespace ballast::calibrate
