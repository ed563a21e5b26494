#include "monitor/state_text.hpp"

#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"

namespace ballast::monitor {
namespace {

MonitorState example() {
  MonitorState state;
  SpectralLevels levels{0.1, 0.2, 0.3, -0.4, 1.0 / 3.0, 0.6, 0.7};
  SpectralLevels none;
  none.fill(std::nan(""));
  state.first = ProbeLevels{{1.5, 0.1}, {0.2, 0.3}, {3, 4, 5}, {1, 2, 3}, {levels, none}};
  FeatureVector features{};
  features[2] = 1e-17;
  features[5] = std::nan("");
  state.recent = {features, FeatureVector{}};
  state.alarmed_until = 812;
  state.alarmed_since = 640;
  state.risk_raised = 700;
  state.detectors.highest_lr = 0.1;
  state.detectors.losses = {2.5, 2.25};
  state.detectors.raised["attention_logits.3"] = {700, Severity::critical};
  state.detectors.skipped_in_a_row = 4;
  state.responder = {0.125, 712};
  return state;
}

TEST(MonitorState, ReadsBackExactly) {
  const std::string text = to_json(example());
  const MonitorState read = parse_state(text, "manifest");
  EXPECT_EQ(to_json(read), text);
  EXPECT_EQ(read.first->spectral[0], example().first->spectral[0]);
  EXPECT_TRUE(std::isnan(read.first->spectral[1][0]));
  EXPECT_FALSE(read.first_held_out);
  EXPECT_EQ(read.recent[0][2], 1e-17);
  EXPECT_EQ(read.alarmed_since, 640u);
  EXPECT_EQ(read.detectors.raised.at("attention_logits.3").severity, Severity::critical);
  EXPECT_EQ(read.detectors.skipped_in_a_row, 4u);
  EXPECT_EQ(read.responder.lr_factor, 0.125);
}

TEST(MonitorState, OfOtherFeaturesKeepsWhatDoesNotDependOnThem) {
  std::string text = to_json(example());
  const std::string version = fmt::format("\"feature_version\":{}", kFeatureVersion);
  ASSERT_NE(text.find(version), std::string::npos);
  text.replace(text.find(version), version.size(), "\"feature_version\":1");
  const MonitorState read = parse_state(text, "manifest");
  EXPECT_FALSE(read.first);
  EXPECT_TRUE(read.recent.empty());
  EXPECT_EQ(read.risk_raised, 0u);
  EXPECT_EQ(read.responder.lr_factor, example().responder.lr_factor);
  EXPECT_EQ(read.detectors.highest_lr, example().detectors.highest_lr);
  EXPECT_EQ(read.alarmed_until, example().alarmed_until);
}

TEST(MonitorState, ThatCannotBeReadIsADataErrorWithItsSource) {
  const std::string empty = fmt::format("{{\"feature_version\": {}}}", kFeatureVersion);
  for (const std::string& text : {std::string{"{"}, empty, std::string{"[]"}}) {
    try {
      (void)parse_state(text, "runs/a/step-5");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      EXPECT_NE(std::string{error.what()}.find("runs/a/step-5"), std::string::npos);
    }
  }
}

TEST(MonitorState, TakesNoStepThatIsNone) {
  const std::string text = to_json(example());
  for (const std::string wrong : {"-1", "1e300", "0.5", "null", "\"7\"", "[]"}) {
    std::string altered = text;
    altered.replace(altered.find("812"), 3, wrong);
    EXPECT_THROW((void)parse_state(altered, "manifest"), Error) << wrong;
  }
}

/// What later probes are held against has a value of each of their blocks.
TEST(MonitorState, OfOtherBlocksOrOfManyProbesIsNotTakenUp) {
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  MonitorOptions options;
  options.model = {"pre", false, 8, 2};
  options.every = 0;
  const auto error_of = [&](const MonitorState& state) {
    Monitor monitor{options, *gemm};
    try {
      monitor.restore(state);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      return std::string{error.what()};
    }
    return std::string{};
  };
  EXPECT_EQ(error_of(example()), "");
  MonitorState state = example();
  state.first->kurtosis.pop_back();
  EXPECT_EQ(error_of(state), "the monitor's state is of a model that does not have 2 blocks");
  state = example();
  state.first_held_out = ProbeLevels{};
  EXPECT_EQ(error_of(state), "the monitor's state is of a model that does not have 2 blocks");
  state = example();
  state.recent.resize(100);
  EXPECT_EQ(error_of(state), "the monitor's state has 100 probes, more than 5");
}

}  // namespace
}  // namespace ballast::monitor
