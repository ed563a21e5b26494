#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "monitor/alerts/calibration.hpp"
#include "support/invoke.hpp"

namespace ballast::cli {

using test::fresh_folder;
using test::invoke;
using test::Outcome;
using test::read_file;
using test::write_file;

namespace {

using Words = std::vector<std::string>;

constexpr int kSteps = 400;

std::string config(int layers = 4) {
  return fmt::format(
      "[model]\ndim = 64\nlayers = {}\nnorm_placement = pre\nqk_norm = false\n"
      "[run]\nsteps = {}\n[gone]\nkey_of_another_version = 1\n",
      layers, kSteps);
}

using monitor::Feature;

constexpr std::size_t at(Feature feature) { return static_cast<std::size_t>(feature); }

/// Learns, and from `event` on, if there is one, is a nat above its lowest.
std::string log_of(int event) {
  std::string log;
  for (int step = 1; step <= kSteps; ++step) {
    const double loss = event > 0 && step >= event ? 2.5 : 1.5 + 3.0 / step;
    log += fmt::format("{{\"step\":{},\"loss\":{},\"grad_norm\":0.3}}\n", step, loss);
  }
  return log;
}

std::string probes_of(double growth) {
  std::string probes;
  for (int step = 25; step <= kSteps; step += 25) {
    probes += fmt::format(
        "{{\"step\":{},\"source\":\"live\",\"feature_version\":2,\"features\":{{\"attention_"
        "growth\":{},"
        "\"loss_rise\":{},\"learning_rate\":-5.0,\"radius\":null}}}}\n",
        step, growth, 0.1 * growth);
  }
  return probes;
}

void write_run(const std::string& folder, int event, double growth, int layers = 4) {
  std::filesystem::create_directories(folder);
  write_file(folder + "/config.resolved.ini", config(layers));
  write_file(folder + "/log.jsonl", log_of(event));
  write_file(folder + "/monitor.jsonl", probes_of(growth));
}

/// Folders of as many runs of either kind; those that break have grown more.
Words runs_in(const std::string& folder, int broken, int healthy) {
  Words runs;
  for (int i = 0; i < broken; ++i) {
    runs.push_back(fmt::format("{}/broken-{}", folder, i));
    write_run(runs.back(), 301 + i, 4.0 + 0.2 * i);
  }
  for (int i = 0; i < healthy; ++i) {
    runs.push_back(fmt::format("{}/healthy-{}", folder, i));
    write_run(runs.back(), 0, 1.0 + 0.2 * i);
  }
  return runs;
}

Outcome calibrate(const Words& runs, const std::string& output, const Words& more = {}) {
  Words words{"monitor", "calibrate"};
  words.insert(words.end(), runs.begin(), runs.end());
  words.insert(words.end(), {"--output", output});
  words.insert(words.end(), more.begin(), more.end());
  return invoke(words);
}

void expect_refused(const Outcome& outcome, int code, const std::string& text) {
  EXPECT_EQ(outcome.exit_code, code) << outcome.err;
  EXPECT_EQ(outcome.err.find("ballast: error: "), 0u) << outcome.err;
  EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

void expect_says(const Outcome& outcome, const std::string& text) {
  EXPECT_NE(outcome.out.find(text), std::string::npos) << text << "\nin\n" << outcome.out;
}

TEST(MonitorCalibrate, WritesWhatTrainTakes) {
  const std::string folder = fresh_folder();
  const std::string output = folder + "/risk.json";
  const Outcome outcome = calibrate(runs_in(folder, 5, 6), output);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  expect_says(outcome, "/broken-0   drift               304      2.500\n");
  expect_says(outcome, "/healthy-5  healthy                      1.5");
  expect_says(outcome, "11 runs, 67 examples: 5 broke, 0 never learned, 6 healthy\n");
  expect_says(outcome, "estimated on single runs");
  expect_says(outcome, "caught         5/5 = 1.00 [0.57, 1.00]");
  expect_says(outcome, "--monitor.calibration " + output);
  const auto written = monitor::Calibration::parse(read_file(output), output);
  EXPECT_EQ(written.horizon, 400u);
  EXPECT_FALSE(written.why_not({"pre", false, 64, 4}));
  EXPECT_TRUE(written.why_not({"pre", false, 64, 5}));
  monitor::FeatureVector quiet{};
  monitor::FeatureVector loud{};
  for (auto* features : {&quiet, &loud}) (*features)[at(Feature::learning_rate)] = -5.0;
  loud[at(Feature::attention_growth)] = 4.0;
  loud[at(Feature::loss_rise)] = 0.4;
  EXPECT_LT(written.probability(quiet), written.threshold);
  EXPECT_GT(written.probability(loud), written.threshold);
}

TEST(MonitorCalibrate, TakesFeaturesHorizonAndSizes) {
  const std::string folder = fresh_folder();
  const std::string output = folder + "/risk.json";
  Words runs = runs_in(folder, 2, 3);
  for (const int i : {0, 1}) {
    runs.push_back(fmt::format("{}/deep-{}", folder, i));
    write_run(runs.back(), i == 0 ? 301 : 0, i == 0 ? 5.0 : 0.5, 8);
  }
  const Outcome outcome = calibrate(runs, output, {"--features", "loss_rise", "--horizon", "300"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("warning: only 3 of these runs broke"), std::string::npos)
      << outcome.err;
  expect_says(outcome, "estimated on sizes of model");
  const auto written = monitor::Calibration::parse(read_file(output), output);
  EXPECT_EQ(written.horizon, 300u);
  EXPECT_EQ(written.weights[at(Feature::attention_growth)], 0.0);
  EXPECT_GT(written.weights[at(Feature::loss_rise)], 0.0);
  EXPECT_EQ(written.layers, (std::array<std::size_t, 2>{4, 8}));
}

TEST(MonitorCalibrate, WarnsOfARiskThatIsWorthNothing) {
  const std::string folder = fresh_folder();
  Words runs = runs_in(folder, 5, 5);
  // Where models are deeper, growth means the opposite.
  for (const int i : {0, 1}) {
    runs.push_back(fmt::format("{}/deep-{}", folder, i));
    write_run(runs.back(), i == 0 ? 301 : 0, i == 0 ? 0.5 : 5.0, 8);
  }
  const Outcome outcome = calibrate(runs, folder + "/risk.json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err,
            "ballast: warning: on runs that it has not seen this risk is no better than one "
            "probability for all; bring more runs, or choose other --features\n");
}

TEST(MonitorCalibrate, LeavesOutWhatIsNotAtItsEnd) {
  const std::string folder = fresh_folder();
  Words runs = runs_in(folder, 2, 2);
  runs.push_back(folder + "/going on");
  write_run(runs.back(), 0, 9.0, 96);
  write_file(runs.back() + "/log.jsonl", "{\"step\":1,\"loss\":5.5,\"grad_norm\":1}\n");
  const Outcome outcome = calibrate(runs, folder + "/risk.json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_says(outcome, "/going on   unfinished");
  expect_says(outcome, "4 runs, 24 examples");
  const auto written = monitor::Calibration::parse(read_file(folder + "/risk.json"), "");
  EXPECT_EQ(written.layers, (std::array<std::size_t, 2>{4, 4}));
}

TEST(MonitorCalibrate, SaysWhatToBringWhereNothingCanBeFitted) {
  const std::string folder = fresh_folder();
  const std::string output = folder + "/risk.json";
  const Words runs = runs_in(folder, 2, 2);
  expect_refused(calibrate({runs[0], runs[1]}, output), 2,
                 "of these 2 runs: 2 broke, 0 never learned, 0 healthy; a calibration needs");
  expect_refused(calibrate({runs[2], runs[3]}, output), 2, "0 broke, 0 never learned, 2 healthy");
  expect_refused(calibrate(runs, output, {"--horizon", "2"}), 2, "within 2 steps");
  expect_refused(calibrate(runs, output, {"--bar", "1.4"}), 2, "above 1.4 nats a token (--bar)");
  expect_says(calibrate({runs[0]}, output), "/broken-0  drift               304");
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST(MonitorCalibrate, RefusesWrongWords) {
  const std::string folder = fresh_folder();
  const std::string output = folder + "/risk.json";
  const Words runs = runs_in(folder, 1, 1);
  expect_refused(calibrate(runs, output, {"--features", "attention_grwth"}), 2,
                 "there is no feature 'attention_grwth'; did you mean 'attention_growth'?");
  expect_refused(calibrate(runs, output, {"--features", "zzzzzzzzz"}), 2, "there are attention_");
  expect_refused(calibrate(runs, output, {"--features", "loss,loss"}), 2, "'loss' is named twice");
  expect_refused(calibrate(runs, output, {"--features", "loss,"}), 2, "--features");
  expect_refused(calibrate(runs, output, {"--false-alarms", "1"}), 2, "--false-alarms");
  expect_refused(calibrate({runs[0], runs[1], runs[0] + "/"}, output), 2, "is named twice");
  expect_refused(
      calibrate({runs[0], folder + "/../" + folder.substr(folder.rfind('/') + 1) + "/broken-0"},
                output),
      2, "is named twice");
  expect_refused(invoke({"monitor", "calibrate", "--output", "x"}), 2, "--runs RUN... is missing");
  expect_refused(invoke({"monitor", "calibrate", runs[0]}), 2, "--output FILE is missing");
  expect_refused(invoke({"monitor", "calibrat"}), 2, "monitor calibrate");
}

TEST(MonitorCalibrate, RefusesBadRuns) {
  const std::string folder = fresh_folder();
  const std::string output = folder + "/risk.json";
  Words runs = runs_in(folder, 2, 2);
  const std::string bad = runs[1];
  const auto refused = [&](const std::string& text) {
    expect_refused(calibrate(runs, output), 3, text);
  };
  expect_refused(calibrate({folder + "/none"}, output), 3, "/none'");
  expect_refused(calibrate(runs, output, {"--features", "radius"}), 3, "a value of 'radius'");
  expect_refused(calibrate(runs, output, {"--features", "gain"}), 3, "has no feature 'gain'");
  write_file(bad + "/config.resolved.ini", "[model]\ndim 64\n");
  refused(bad + "/config.resolved.ini:2: 'dim 64'");
  write_file(bad + "/config.resolved.ini",
             "[model]\nqk_norm = true\nnorm_placement = pre\ndim = x\n"
             "layers = 4\n[run]\nsteps = 7\n");
  refused(bad + "/config.resolved.ini:4: model.dim cannot be 'x'");
  write_file(bad + "/config.resolved.ini", "[model]\ndim = 64\n");
  refused(bad + "/config.resolved.ini: has no model.layers");
  std::filesystem::remove(bad + "/config.resolved.ini");
  refused(bad + "/config.resolved.ini");
  write_run(bad, 301, 4.0);
  write_file(bad + "/log.jsonl", "{\"step\":1,\"loss\":5.5,\"grad_norm\":1}\nnothing\n\n");
  refused(bad + "/log.jsonl:2: not a JSON object");
  write_run(bad, 301, 4.0);
  std::filesystem::remove(bad + "/monitor.jsonl");
  refused(bad + "/monitor.jsonl");
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST(MonitorCalibrate, AnOutputThatCannotBeWrittenIsADataError) {
  const std::string folder = fresh_folder();
  const Words runs = runs_in(folder, 5, 2);
  write_file(folder + "/file", "old");
  std::filesystem::create_directory(folder + "/taken.json");
  expect_refused(calibrate(runs, folder + "/file/risk.json"), 3, "risk.json");
  expect_refused(calibrate(runs, folder + "/taken.json"), 3, "taken.json");
}

}  // namespace
}  // namespace ballast::cli
