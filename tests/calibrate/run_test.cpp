#include "calibrate/run.hpp"

#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace ballast::calibrate {
namespace {

using monitor::Feature;
using test::data_error_of;

constexpr std::size_t at(Feature feature) { return static_cast<std::size_t>(feature); }

std::string record(std::uint64_t step, const std::string& loss = "2.5") {
  return fmt::format("{{\"step\":{},\"loss\":{},\"grad_norm\":0.3,\"loss_scale\":1.0}}\n", step,
                     loss);
}

std::string probe(std::uint64_t step, const std::string& attention_growth,
                  const std::string& source = "live") {
  return fmt::format(
      "{{\"step\":{},\"source\":\"{}\",\"feature_version\":{},\"features\":{{"
      "\"attention_growth\":{},\"loss\":1.5,\"residual_growth\":0.25}}}}\n",
      step, source, monitor::kFeatureVersion, attention_growth);
}

class ReadRun : public testing::Test {
 protected:
  ReadRun() {
    write("log.jsonl", record(1) + record(2) + record(3));
    write("monitor.jsonl", probe(1, "0.0") + probe(2, "1.0"));
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream{folder_ / name, std::ios::binary} << text;
  }
  [[nodiscard]] calibrate::Run read(std::uint64_t last_step = 3) const {
    const std::vector features{Feature::attention_growth, Feature::residual_growth};
    return read_run(folder_.path(), {{"pre", false, 64, 4}, last_step}, features);
  }
  /// Expects a data Error about a file of the folder that holds `text`.
  void expect_refused(const std::string& file, const std::string& text) const {
    const std::string message = data_error_of([&] { (void)read(); });
    EXPECT_NE(message.find((folder_ / file).string()), std::string::npos) << message;
    EXPECT_NE(message.find(text), std::string::npos) << message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(ReadRun, HasRecordsAndLooks) {
  const auto run = read();
  ASSERT_EQ(run.records.size(), 3u);
  EXPECT_EQ(run.records[1].step, 2u);
  EXPECT_EQ(run.records[1].loss, 2.5);
  ASSERT_EQ(run.looks.size(), 2u);
  EXPECT_EQ(run.looks[1].features[at(Feature::residual_growth)], 0.25);
  EXPECT_TRUE(std::isnan(run.looks[1].features[at(Feature::radius)]));
  EXPECT_EQ(run.ending, Ending::reached);
}

TEST_F(ReadRun, LooksAreMediansOverTheNewestFiveLiveProbes) {
  write("monitor.jsonl", probe(1, "9.0") + probe(1, "100.0", "held_out") + probe(2, "null") +
                             probe(3, "1.0") + probe(4, "2.0") + probe(5, "3.0") + probe(6, "4.0"));
  const auto run = read();
  std::vector<double> medians;
  for (const auto& look : run.looks) {
    medians.push_back(look.features[at(Feature::attention_growth)]);
  }
  EXPECT_EQ(medians, (std::vector{9.0, 9.0, 5.0, 2.0, 2.5, 2.5}));
}

TEST_F(ReadRun, ProbesOfSkippedUpdatesArePassedOver) {
  std::string skipped = probe(2, "5.0");
  skipped.replace(skipped.find("\"loss\""), 6, "\"gradient_norm\":null,\"loss\"");
  write("monitor.jsonl", probe(1, "1.0") + skipped + probe(3, "2.0"));
  const auto run = read();
  ASSERT_EQ(run.looks.size(), 2u);
  EXPECT_EQ(run.looks[1].step, 3u);
  EXPECT_EQ(run.looks[1].features[at(Feature::attention_growth)], 1.5);
}

TEST_F(ReadRun, NullsAreNotFiniteAndALineInTheMakingIsPassedOver) {
  write("log.jsonl", record(1) + record(2, "null") + "{\"step\":3,\"lo");
  const auto run = read();
  ASSERT_EQ(run.records.size(), 2u);
  EXPECT_TRUE(std::isnan(run.records[1].loss));
  EXPECT_EQ(run.ending, Ending::cut_off);
}

TEST_F(ReadRun, KnowsHowARunEnded) {
  EXPECT_EQ(read(4).ending, Ending::cut_off);
  write("alerts.jsonl", "{\"step\":2,\"kind\":\"risk\",\"action\":\"logged\"}\n");
  EXPECT_EQ(read().ending, Ending::reached);
  write("alerts.jsonl",
        "{\"step\":2,\"action\":\"learning rate from now on 0.5 times the schedule's\"}\n");
  EXPECT_EQ(read().ending, Ending::steered);
}

TEST_F(ReadRun, KnowsOfSkippedUpdatesThatTheLogPassesOver) {
  write("log.jsonl", record(10) + record(20) + record(30));
  const std::string alert = "{{\"step\":{},\"kind\":\"nonfinite\",\"severity\":\"{}\"}}\n";
  write("alerts.jsonl", fmt::format(fmt::runtime(alert), 12, "info"));
  EXPECT_EQ(read().records.size(), 3u);
  write("alerts.jsonl", fmt::format(fmt::runtime(alert + alert), 13, "critical", 30, "critical"));
  auto run = read();
  ASSERT_EQ(run.records.size(), 4u);
  EXPECT_EQ(run.records[1].step, 13u);
  EXPECT_TRUE(std::isnan(run.records[1].loss));
  write("alerts.jsonl", fmt::format(fmt::runtime(alert), 20, "critical"));
  run = read();
  EXPECT_EQ(run.records.size(), 3u);
  // Its record says nothing where the loss scale overflowed too often.
  EXPECT_TRUE(std::isnan(run.records[1].loss));
  write("alerts.jsonl", fmt::format(fmt::runtime(alert), 31, "critical"));
  run = read();
  EXPECT_EQ(run.records.back().step, 31u);
}

TEST_F(ReadRun, NamesTheLineThatIsMalformed) {
  write("log.jsonl", record(1) + "{\"step\":2,\n" + record(3));
  expect_refused("log.jsonl", "log.jsonl:2: not a JSON object");
  write("log.jsonl", record(1));
  write("monitor.jsonl", probe(1, "0.0") + probe(2, "0.0") + "[]\n");
  expect_refused("monitor.jsonl", "monitor.jsonl:3: not a JSON object");
}

TEST_F(ReadRun, RefusesLogsThatAreNotThereOrHoldNothing) {
  write("monitor.jsonl", probe(1, "0.0", "held_out"));
  expect_refused("monitor.jsonl", "monitor.every");
  std::filesystem::remove(folder_ / "monitor.jsonl");
  expect_refused("monitor.jsonl", "monitor.every");
  write("log.jsonl", "");
  expect_refused("log.jsonl", "holds no record");
  std::filesystem::remove(folder_ / "log.jsonl");
  expect_refused("log.jsonl", "there is no");
}

TEST_F(ReadRun, RefusesRecordsThatAreNone) {
  write("log.jsonl", record(1) + "{\"step\":2}\n");
  expect_refused("log.jsonl", "step 2 has no loss");
  write("log.jsonl", record(1) + record(7) + record(7));
  expect_refused("log.jsonl", "step 7 follows step 7");
}

TEST_F(ReadRun, RefusesFeaturesOfAnotherVersion) {
  write("monitor.jsonl", probe(1, "0.0") +
                             "{\"step\":5,\"source\":\"live\",\"feature_version\":2,"
                             "\"features\":{\"residual_growth\":1}}\n");
  expect_refused("monitor.jsonl", "step 5: has no feature 'attention_growth'");
  write("monitor.jsonl", "{\"step\":5,\"source\":\"live\",\"feature_version\":99}\n");
  expect_refused("monitor.jsonl", "step 5: feature_version is 99");
  write("monitor.jsonl", "{\"step\":5,\"source\":\"live\"}\n");
  expect_refused("monitor.jsonl", "step 5: feature_version is missing");
  write("monitor.jsonl", "{\"step\":5,\"source\":\"live\",\"feature_version\":2}\n");
  expect_refused("monitor.jsonl", "step 5: has no feature 'attention_growth'");
}

TEST_F(ReadRun, RefusesAFeatureWithoutAnyValue) {
  write("monitor.jsonl", probe(1, "null") + probe(2, "null"));
  expect_refused("monitor.jsonl", "no probe has a value of 'attention_growth'");
}

}  // namespace
}  // namespace ballast::calibrate
