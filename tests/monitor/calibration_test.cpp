#include "monitor/alerts/calibration.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace ballast::monitor {
namespace {

constexpr std::size_t at(Feature feature) { return static_cast<std::size_t>(feature); }

Calibration example() {
  Calibration calibration;
  calibration.description = "ten runs";
  calibration.horizon = 700;
  calibration.threshold = 0.4;
  calibration.bias = -3.0;
  calibration.weights[at(Feature::attention_growth)] = 1.5;
  calibration.weights[at(Feature::loss)] = 0.25;
  calibration.norm_placements = {"pre"};
  calibration.qk_norm = {false};
  calibration.dim = {64, 256};
  calibration.layers = {3, 12};
  return calibration;
}

std::string problem_of(const std::string& json) {
  try {
    (void)Calibration::parse(json, "risk.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    return error.what();
  }
  return {};
}

TEST(Calibration, IsALogisticFunctionOfItsFeatures) {
  FeatureVector features{};
  features.fill(std::nan(""));
  features[at(Feature::attention_growth)] = 2.0;
  features[at(Feature::loss)] = 4.0;
  EXPECT_DOUBLE_EQ(example().probability(features), 1.0 / (1.0 + std::exp(-1.0)));
  EXPECT_EQ(example().loudest(features), Feature::attention_growth);
  Calibration of_rate = example();
  of_rate.weights = {};
  of_rate.weights[at(Feature::learning_rate)] = 1.5;
  features[at(Feature::learning_rate)] = -3.0;
  EXPECT_EQ(of_rate.loudest(features), Feature::learning_rate) << "the others do not count";
  features[at(Feature::loss)] = std::nan("");
  EXPECT_TRUE(std::isnan(example().probability(features)));
}

TEST(Calibration, ReadsBackAsItWasWritten) {
  const Calibration written = example();
  const Calibration read = Calibration::parse(written.to_json(), "risk.json");
  EXPECT_EQ(read.to_json(), written.to_json());
  EXPECT_EQ(read.weights, written.weights);
  EXPECT_EQ(read.horizon, 700u);
}

TEST(Calibration, SpeaksOnlyOfWhatItWasFittedOn) {
  const Calibration calibration = example();
  EXPECT_FALSE(calibration.why_not({"pre", false, 64, 12}));
  EXPECT_TRUE(calibration.why_not({"post", false, 64, 12}));
  EXPECT_TRUE(calibration.why_not({"pre", true, 64, 12}));
  EXPECT_TRUE(calibration.why_not({"pre", false, 63, 12}));
  EXPECT_TRUE(calibration.why_not({"pre", false, 64, 13}));
  EXPECT_TRUE(calibration.why_not({"pre", false, 64, 1}));
}

TEST(Calibration, BadFilesAreNamed) {
  EXPECT_NE(problem_of("{").find("risk.json"), std::string::npos);
  EXPECT_NE(problem_of("{}").find("feature_version"), std::string::npos);
  for (const std::string wrong : {"-1", "1e300", "\"700\"", "[]", "null"}) {
    std::string altered = example().to_json();
    altered.replace(altered.find("700"), 3, wrong);
    EXPECT_EQ(problem_of(altered), "risk.json: horizon is not a whole number");
  }
  std::string json = example().to_json();
  json.replace(json.find("\"loss\""), 6, "\"lass\"");
  EXPECT_NE(problem_of(json).find("no feature 'lass'"), std::string::npos) << problem_of(json);
  json = example().to_json();
  const std::string version = "\"feature_version\": ";
  json.insert(json.find(version) + version.size(), "9");
  EXPECT_NE(problem_of(json).find("fit it anew"), std::string::npos) << problem_of(json);
}

TEST(Calibration, WhatIsShippedCanBeWrittenAndRead) {
  const Calibration& shipped = Calibration::shipped();
  EXPECT_EQ(Calibration::parse(shipped.to_json(), "shipped").to_json(), shipped.to_json());
}

}  // namespace
}  // namespace ballast::monitor
