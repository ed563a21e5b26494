#include "monitor/alerts/action.hpp"

#include <array>
#include <gtest/gtest.h>

namespace ballast::monitor {
namespace {

Alert alert(std::uint64_t step, AlertKind kind, Severity severity = Severity::warning) {
  Alert alert;
  alert.step = step;
  alert.kind = kind;
  alert.severity = severity;
  alert.score = 4.0;
  return alert;
}

Action answer(Responder& responder, Alert& given) { return responder.answer({&given, 1}); }

TEST(Responder, StopsAndSavesForRiskButNotForABadBatch) {
  for (const auto& [on_alert, action] :
       {std::pair{OnAlert::log, Action::none}, std::pair{OnAlert::checkpoint, Action::save},
        std::pair{OnAlert::lower_lr, Action::none}, std::pair{OnAlert::stop, Action::stop}}) {
    Responder responder{on_alert};
    Alert risk = alert(5, AlertKind::risk);
    EXPECT_EQ(answer(responder, risk), action) << name_of(on_alert);
    Alert burst = alert(6, AlertKind::loss);
    EXPECT_EQ(answer(responder, burst), Action::none) << name_of(on_alert);
    EXPECT_EQ(burst.action, "logged");
  }
}

TEST(Responder, HalvesTheRateOnceInAWhile) {
  Responder responder{OnAlert::lower_lr};
  Alert first = alert(5, AlertKind::risk);
  Alert second = alert(50, AlertKind::attention_logits, Severity::critical);
  Alert third = alert(5 + Responder::kStepsBetweenActs, AlertKind::risk);
  EXPECT_EQ(answer(responder, first), Action::none);
  EXPECT_EQ(responder.lr_factor(), 0.5);
  EXPECT_EQ(first.action, "learning rate from now on 0.5 times the schedule's");
  EXPECT_EQ(answer(responder, second), Action::none);
  EXPECT_EQ(responder.lr_factor(), 0.5);
  Responder restored{OnAlert::lower_lr};
  restored.restore(responder.state());
  EXPECT_EQ(answer(restored, third), Action::none);
  EXPECT_EQ(restored.lr_factor(), 0.25);
}

TEST(Responder, LeavesSkippedUpdatesToTheirGuard) {
  Responder responder{OnAlert::stop};
  Alert skipped = alert(5, AlertKind::nonfinite, Severity::critical);
  EXPECT_EQ(answer(responder, skipped), Action::none);
}

TEST(Responder, DoesNotPushGoodCheckpointsOut) {
  Responder responder{OnAlert::checkpoint};
  Alert first = alert(5, AlertKind::attention_logits);
  Alert second = alert(10, AlertKind::attention_logits);
  Alert third = alert(5 + Responder::kStepsBetweenActs, AlertKind::attention_logits);
  EXPECT_EQ(answer(responder, first), Action::save);
  EXPECT_EQ(answer(responder, second), Action::none);
  EXPECT_EQ(second.action, "logged");
  EXPECT_EQ(answer(responder, third), Action::save);
}

TEST(Responder, TakesAJumpBack) {
  Responder responder{OnAlert::lower_lr};
  Alert risk = alert(5, AlertKind::risk);
  Alert jump = alert(6, AlertKind::learning_rate);
  EXPECT_EQ(answer(responder, risk), Action::none);
  EXPECT_EQ(answer(responder, jump), Action::none);
  EXPECT_EQ(responder.lr_factor(), 0.125);
}

}  // namespace
}  // namespace ballast::monitor
