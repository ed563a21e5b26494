#include <filesystem>
#include <gtest/gtest.h>

#include "support/invoke.hpp"

namespace ballast::cli {

using test::fresh_folder;
using test::invoke;
using test::Outcome;
using test::read_file;
using test::write_file;

namespace {

/// A run as a training that is under way leaves it.
std::string run_folder() {
  const std::string folder = fresh_folder();
  write_file(folder + "/log.jsonl", "{\"step\":2,\"loss\":3.5}\n{\"step\":4,\"lo");
  write_file(folder + "/config.resolved.ini", "[run]\nsteps = 7\n");
  return folder;
}

std::size_t files_in(const std::string& folder) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) files += entry.exists();
  return files;
}

void expect_refused(const std::vector<std::string>& arguments, int code, const std::string& text) {
  const Outcome outcome = invoke(arguments);
  EXPECT_EQ(outcome.exit_code, code) << outcome.err;
  EXPECT_EQ(outcome.err.find("ballast: error: "), 0u) << outcome.err;
  EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
}

TEST(Report, WritesOnePageIntoTheRun) {
  const std::string folder = run_folder();
  for (int time = 0; time < 2; ++time) {
    const Outcome outcome = invoke({"report", folder});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(outcome.out.find(folder + "/report.html: "), 0u) << outcome.out;
    EXPECT_EQ(files_in(folder), 3u) << "something is left beside the page";
  }
  const std::string page = read_file(folder + "/report.html");
  EXPECT_EQ(page.find("<!doctype html>"), 0u);
  EXPECT_NE(page.find(R"(["run.steps","7"])"), std::string::npos);
  EXPECT_EQ(page.substr(page.size() - 8), "</html>\n");
}

TEST(Report, WritesWhereItIsTold) {
  const std::string folder = run_folder();
  ASSERT_EQ(invoke({"report", folder, "--output", folder + "/other.html"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder + "/other.html"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/report.html"));
}

TEST(Report, RefusesWhatIsNoRun) {
  const std::string folder = fresh_folder();
  expect_refused({"report"}, 2, "--run RUN is missing");
  expect_refused({"report", folder}, 3, folder + "/log.jsonl");
  expect_refused({"report", folder + "/none"}, 3, folder + "/none/log.jsonl");
  EXPECT_EQ(files_in(folder), 0u);
}

TEST(Report, AMalformedConfigurationIsBadData) {
  const std::string folder = run_folder();
  write_file(folder + "/config.resolved.ini", "[run]\nsteps 7\n");
  expect_refused({"report", folder}, 3, folder + "/config.resolved.ini:2: 'steps 7'");
  write_file(folder + "/config.resolved.ini", "[run]\ndir = \"open\n");
  expect_refused({"report", folder}, 3, folder + "/config.resolved.ini:2: the quotes");
}

TEST(Report, AnOutputThatCannotBeWrittenLeavesTheOldOne) {
  const std::string folder = run_folder();
  write_file(folder + "/file", "old");
  std::filesystem::create_directory(folder + "/taken.html");
  expect_refused({"report", folder, "--output", folder + "/file/page.html"}, 3, "page.html");
  expect_refused({"report", folder, "--output", folder + "/taken.html"}, 3, "taken.html");
  EXPECT_EQ(read_file(folder + "/file"), "old");
}

}  // namespace
}  // namespace ballast::cli
