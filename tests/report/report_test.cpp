#include "report/report.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "report/alert_list.hpp"
#include "report/probe_table.hpp"
#include "report/run_folder.hpp"
#include "support/child_memory.hpp"

namespace ballast::report {
namespace {

using test::data_error_of;
using test::RunFolder;

/// Two steps of a run with three blocks, as train writes them.
constexpr const char* kProbes =
    R"({"step":1,"source":"live","risk":0.25,"attention_logit":[1,2,3],"rms":[1,1,1,1],)"
    R"("spectrum":{"status":["ok","ok","identity"],"radius":[1.5,null,0.5]},)"
    R"("eigenvalues":[[[1.5,0.0],[0.25,-0.5]],[],[[null,0.0],[0.5,0.0]]]})"
    "\n"
    R"({"step":1,"source":"held_out","risk":null,"attention_logit":[7,8,9]})"
    "\n"
    R"({"step":5,"source":"live","risk":null,"attention_logit":[4,null,6],"rms":[2,2,2,2],)"
    R"("spectrum":{"status":["ok","ok","ok"],"radius":[2,3,4]}})"
    "\n";

TEST(Report, AFolderWithoutALogIsNamed) {
  const RunFolder run;
  const auto message = data_error_of([&] { (void)run.page(); });
  EXPECT_NE(message.find((run / "log.jsonl").string()), std::string::npos) << message;
}

TEST(Report, ALogThatCannotBeReadIsNamed) {
  const RunFolder run;
  std::filesystem::create_directory(run / "log.jsonl");
  const auto message = data_error_of([&] { (void)run.page(); });
  EXPECT_NE(message.find((run / "log.jsonl").string()), std::string::npos) << message;
}

TEST(Report, ARunThatHasJustBegunHasAPage) {
  RunFolder run;
  run.write("log.jsonl", "");
  const Json data = run.data();
  EXPECT_TRUE(data.at("last").is_null());
  EXPECT_TRUE(data.at("series").empty());
  EXPECT_TRUE(data.at("probes").empty());
  EXPECT_TRUE(data.at("threshold").is_null());
  EXPECT_TRUE(data.at("notes").empty());
}

TEST(Report, CurvesHaveNullsWhereTheLogHas) {
  RunFolder run;
  run.write("log.jsonl",
            "{\"step\":2,\"loss\":3.5,\"grad_norm\":1.0}\n"
            "{\"step\":4,\"loss\":null,\"grad_norm\":null,\"nonfinite\":true}\n"
            "{\"step\":6,\"loss\":2.5,\"grad_norm\":0.5,\"val_loss\":2.25}\n");
  const Json series = run.data().at("series");
  EXPECT_EQ(series.at("loss").dump(), R"({"step":[2,4,6],"value":[3.5,null,2.5],"of":3})");
  EXPECT_EQ(series.at("val_loss").dump(), R"({"step":[6],"value":[2.25],"of":1})");
  EXPECT_FALSE(series.contains("mfu"));
}

TEST(Report, ALineThatIsBeingWrittenIsPassedOver) {
  RunFolder run;
  run.write("log.jsonl", "{\"step\":2,\"loss\":3.5}\n{\"step\":4,\"lo");
  const Json data = run.data();
  EXPECT_EQ(data.at("last").at("step"), 2);
  EXPECT_EQ(data.at("series").at("loss").at("step").size(), 1u);
  EXPECT_TRUE(data.at("notes").empty()) << data.at("notes");
}

TEST(Report, OtherUnreadableLinesAreCounted) {
  RunFolder run;
  run.write("log.jsonl",
            "{\"step\":2,\"loss\":3.5}\n{\"step\":4,\"lo\n[]\n{\"step\":-1}\n7\n\xff\n"
            "{\"step\":6,\"loss\":3}\n");
  run.write("alerts.jsonl", "nonsense\n");
  const Json data = run.data();
  EXPECT_EQ(data.at("series").at("loss").at("value").dump(), "[3.5,3]");
  ASSERT_EQ(data.at("notes").size(), 2u);
  EXPECT_EQ(data.at("notes").at(0), "log.jsonl: 5 lines could not be read and are left out");
  EXPECT_EQ(data.at("notes").at(1), "alerts.jsonl: 1 line could not be read and is left out");
}

TEST(Report, UnknownKeysAndStrangeValuesAreIgnored) {
  RunFolder run;
  run.write("log.jsonl", R"({"step":2,"loss":"high","new":{"a":[1]},"lr":0.5})"
                         "\n");
  run.write("monitor.jsonl",
            R"({"step":2,"source":"live","risk":"?","new":[1,2],"rms":"x","spectrum":[1]})"
            "\n"
            R"({"step":3,"eigenvalues":7,"spectrum":{"named_later":[1,2],"words":["a"]}})"
            "\n");
  const Json data = run.data();
  EXPECT_TRUE(data.at("series").at("loss").at("value").at(0).is_null());
  EXPECT_FALSE(data.at("series").contains("new"));
  EXPECT_TRUE(data.at("probes").at("live").at("features").empty());
  EXPECT_EQ(data.at("probes").at("").at("features").dump(), R"({"named_later":[[1],[2]]})");
}

TEST(Report, ProbesBecomeOneRowForEachBlock) {
  RunFolder run;
  run.write("log.jsonl", "");
  run.write("monitor.jsonl", kProbes);
  const Json data = run.data();
  const Json& live = data.at("probes").at("live");
  EXPECT_EQ(live.at("step").dump(), "[1,5]");
  const Json& features = live.at("features");
  EXPECT_EQ(features.at("attention_logit").dump(), "[[1,4],[2,null],[3,6]]");
  EXPECT_EQ(features.at("rms").size(), 4u) << "one row for each depth";
  EXPECT_EQ(features.at("radius").dump(), "[[1.5,2],[null,3],[0.5,4]]");
  EXPECT_FALSE(features.contains("status"));
  EXPECT_EQ(data.at("probes").at("held_out").at("features").at("attention_logit").dump(),
            "[[7],[8],[9]]");
  EXPECT_EQ(data.at("risk").dump(), R"({"step":[1,5],"value":[0.25,null],"of":2})")
      << "of training steps alone";
}

TEST(Report, EigenvaluesAreCarriedByBlock) {
  RunFolder run;
  run.write("log.jsonl", "");
  run.write("monitor.jsonl", kProbes);
  const Json live = run.data().at("probes").at("live");
  EXPECT_EQ(
      live.at("spectra").dump(),
      R"([{"step":1,"status":["ok","ok","identity"],"blocks":[[1.5,0,0.25,-0.5],[],[0.5,0]]}])");
}

TEST(Report, LongRunsShareColumnsAndKeepTheLargest) {
  ProbesOfSource probes;
  for (std::uint64_t step = 1; step <= 1'003; ++step) {
    const double value = step == 500 ? 99.0 : 1.0;
    const Json z = Json::array({value, 0.0});
    probes.add(step, {{"update", {value, nullptr}}, {"eigenvalues", {{z}}}});
  }
  const Json json = probes.to_json(10, 4);
  EXPECT_EQ(json.at("of"), 1'003);
  EXPECT_EQ(json.at("step").size(), 10u);
  EXPECT_EQ(json.at("features").at("update").at(0).dump(), "[1,1,1,1,99,1,1,1,1,1]");
  EXPECT_TRUE(json.at("features").at("update").at(1).at(0).is_null());
  ASSERT_EQ(json.at("spectra").size(), 4u);
  EXPECT_EQ(json.at("spectra").at(1).at("step"), 500);
  EXPECT_EQ(json.at("spectra_of"), 1'003);
}

TEST(Report, AlertsKeepTheGravest) {
  RunFolder run;
  std::string lines;
  for (int step = 1; step <= 9; ++step) {
    lines += fmt::format(R"({{"step":{},"severity":"{}","layer":{},"message":"m"}})", step,
                         step % 3 == 0 ? "critical" : "warning", step == 9 ? "2" : "null") +
             "\n";
  }
  run.write("alerts.jsonl", lines);
  const auto list = AlertList::read(run / "alerts.jsonl");
  EXPECT_EQ(list.counts().dump(), R"({"info":0,"warning":6,"critical":3})");
  const Json kept = list.to_json(4);
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_EQ(kept.at(0).at("step"), 1) << "the first of the warnings";
  EXPECT_EQ(kept.at(1).at("step"), 3);
  EXPECT_EQ(kept.at(3).at("layer"), 2);
  EXPECT_TRUE(kept.at(0).at("layer").is_null());
}

TEST(Report, TheThresholdIsThatOfTheNewestRiskAlert) {
  RunFolder run;
  run.write("log.jsonl", "");
  run.write("alerts.jsonl", R"({"step":2,"kind":"risk","threshold":0.5})"
                            "\n"
                            R"({"step":4,"kind":"risk","threshold":0.75})"
                            "\n"
                            R"({"step":6,"kind":"loss","threshold":9.0})"
                            "\n");
  EXPECT_EQ(run.data().at("threshold"), 0.75);
}

TEST(Report, TellsWhatTheTrainingSaidOfItself) {
  RunFolder run;
  run.write("log.jsonl", "");
  run.write("train.log", "model: old\nmodel: 1,234 parameters\nstep 1\nmonitor: off\n");
  EXPECT_EQ(run.data().at("about").dump(), R"({"model":"1,234 parameters","monitor":"off"})");
}

/// A short line that stands for much: a name that all later probes would have a list of.
TEST(Report, OfAForeignLogTakesLittleMemory) {
  RunFolder run;
  run.write("log.jsonl", R"({"step":1,"loss":1})");
  std::string probes = R"({"step":1,"source":"live","spectrum":{)";
  for (int i = 0; i < 3000; ++i) probes += fmt::format("\"{}\":[1],", i);
  probes += "\"last\":[" + [] {
    std::string nulls;
    for (int i = 0; i < 20000; ++i) nulls += "null,";
    return nulls;
  }() + "1]}}\n";
  for (int i = 2; i < 40000; ++i) probes += fmt::format("{{\"step\":{},\"source\":\"live\"}}\n", i);
  run.write("monitor.jsonl", probes);
  std::string alerts;
  for (int i = 1; i < 300000; ++i) alerts += "{\"step\":1}\n";
  run.write("alerts.jsonl", alerts);
  const auto child = test::in_child([&] {
    (void)run.page();
    throw data_error("read");
  });
  EXPECT_EQ(child.message, "read");
  EXPECT_LT(child.grown_bytes, test::kMostMemory + probes.size() + alerts.size());
}

}  // namespace
}  // namespace ballast::report
