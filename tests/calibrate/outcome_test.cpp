#include "calibrate/outcome.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "calibrate/made_up.hpp"

namespace ballast::calibrate {
namespace {

using test::broken;
using test::learning;
using test::records_of;

Label label_of(const std::vector<double>& losses, double bar = kBar) {
  return calibrate::label_of(records_of(losses), bar, Ending::reached);
}

/// Learning, with some losses lifted.
std::vector<double> lifted(std::size_t from, std::size_t steps, double by) {
  auto losses = learning();
  for (std::size_t i = from; i < from + steps; ++i) losses[i] += by;
  return losses;
}

TEST(Outcome, AFallingLossIsHealthy) {
  const Label label = label_of(learning());
  EXPECT_EQ(label.outcome, Outcome::healthy);
  EXPECT_FALSE(label.event);
  EXPECT_NEAR(label.final_loss, 1.5, 0.01);
}

TEST(Outcome, ALossThatStaysHighNeverLearned) {
  EXPECT_EQ(label_of(learning(400, 2.5)).outcome, Outcome::never_learned);
  EXPECT_EQ(label_of(learning(400, 2.5), 2.6).outcome, Outcome::healthy);
  EXPECT_TRUE(label_of(learning(400, 2.5)).breaks());
}

TEST(Outcome, ARiseThatStaysIsDriftFromWhereTheSmoothedLossCrosses) {
  const Label label = label_of(broken(301));
  EXPECT_EQ(label.outcome, Outcome::drift);
  // A rise of one nat is 0.3 in a mean of 10 after 4 steps, since the loss still falls.
  EXPECT_EQ(label.event, 304u);
  EXPECT_TRUE(label.breaks());
}

TEST(Outcome, ARiseMustStayForTwentySteps) {
  // The mean over 10 steps is beyond 0.3 from the 4th step of a rise by 0.8 to the 6th after it.
  EXPECT_EQ(label_of(lifted(200, 17, 0.8)).outcome, Outcome::drift);
  EXPECT_EQ(label_of(lifted(200, 16, 0.8)).outcome, Outcome::spike);
}

TEST(Outcome, RecordsOfEveryTenthStepCountTheirSteps) {
  std::vector<Record> records;
  for (const auto& record : records_of(broken(2001, 4000))) {
    if (record.step % 10 == 0) records.push_back(record);
  }
  const Label label = calibrate::label_of(records, kBar, Ending::reached);
  EXPECT_EQ(label.outcome, Outcome::drift);
  // A tenth of a nat with each record.
  EXPECT_GE(label.event, 2030u);
  EXPECT_LE(label.event, 2040u);
}

TEST(Outcome, ASmallOrAnEarlyRiseIsNothing) {
  EXPECT_EQ(label_of(lifted(300, 100, 0.28)).outcome, Outcome::healthy);
  EXPECT_EQ(label_of(lifted(5, 3, 2.0)).outcome, Outcome::healthy);
}

TEST(Outcome, ASpikeHasItsStep) {
  const Label label = label_of(lifted(249, 1, 0.7));
  EXPECT_EQ(label.outcome, Outcome::spike);
  EXPECT_EQ(label.event, 250u);
  EXPECT_FALSE(label.breaks());
  EXPECT_EQ(label_of(lifted(249, 1, 0.7), 1.4).outcome, Outcome::never_learned);
}

TEST(Outcome, WhatIsNotFiniteOrBeyondTheLimitsDiverged) {
  for (const Record bad :
       {Record{250, std::nan(""), 0.3}, Record{250, 51.0, 0.3}, Record{250, 1.0, 501.0},
        Record{250, 1.0, std::nan("")}, Record{250, std::nan(""), std::nan(""), 65536.0}}) {
    auto records = records_of(learning());
    records[249] = bad;
    const Label label = calibrate::label_of(records, kBar, Ending::reached);
    EXPECT_EQ(label.outcome, Outcome::diverged) << bad.loss << " " << bad.grad_norm;
    EXPECT_EQ(label.event, 250u);
  }
}

TEST(Outcome, OverflowOfAScaledLossIsNoDivergence) {
  auto records = records_of(learning());
  records[249] = {250, 1.6, std::nan(""), 65536.0};
  EXPECT_EQ(calibrate::label_of(records, kBar, Ending::reached).outcome, Outcome::healthy);
}

TEST(Outcome, WhatDriftsBeforeItOverflowsBrokeWhenItDrifted) {
  auto records = records_of(broken(201));
  records[349].loss = std::nan("");
  const Label label = calibrate::label_of(records, kBar, Ending::reached);
  EXPECT_EQ(label.outcome, Outcome::diverged);
  EXPECT_EQ(label.event, 204u);
}

TEST(Outcome, ARunThatNeverHadALossDivergedAtTheFirstStepThatCounts) {
  const Label label = label_of({std::nan("")});
  EXPECT_EQ(label.outcome, Outcome::diverged);
  EXPECT_EQ(label.event, 20u);
  EXPECT_TRUE(std::isnan(label.final_loss));
}

TEST(Outcome, ARunThatWasCutOffIsHealthyForNobodyButMayHaveBroken) {
  EXPECT_EQ(calibrate::label_of(records_of(learning(300)), kBar, Ending::cut_off).outcome,
            Outcome::unfinished);
  EXPECT_EQ(calibrate::label_of(records_of(learning(300, 3.0)), kBar, Ending::cut_off).outcome,
            Outcome::unfinished);
  EXPECT_EQ(calibrate::label_of(records_of(broken(201)), kBar, Ending::cut_off).outcome,
            Outcome::drift);
}

TEST(Outcome, ARunWhoseRateWasLoweredIsHealthyForNobodyButMayHaveBroken) {
  EXPECT_EQ(calibrate::label_of(records_of(learning()), kBar, Ending::steered).outcome,
            Outcome::steered);
  EXPECT_EQ(calibrate::label_of(records_of(broken(201)), kBar, Ending::steered).outcome,
            Outcome::drift);
}

}  // namespace
}  // namespace ballast::calibrate
