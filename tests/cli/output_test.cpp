#include <gtest/gtest.h>

#include "support/invoke.hpp"

namespace ballast::cli {
namespace {

using test::fresh_folder;
using test::invoke;
using test::Outcome;
using test::write_file;

// What a full disk does, and a reader that closed its end.
constexpr const char* kFull = "sh -c 'exec \"$@\" >/dev/full' sh";
constexpr const char* kClosed = "sh -c 'exec \"$@\" >&-' sh";

void expect_told(const std::vector<std::string>& words, const char* launcher) {
  const Outcome outcome = invoke(words, {.launcher = launcher});
  EXPECT_EQ(outcome.exit_code, 3) << words.front();
  EXPECT_EQ(outcome.err.find("ballast: error: "), 0u) << outcome.err;
  EXPECT_NE(outcome.err.find("cannot write to standard output"), std::string::npos) << outcome.err;
}

TEST(Output, ThatIsNotTakenEndsEveryCommandWithACode) {
  const std::string folder = fresh_folder();
  write_file(folder + "/a.txt", std::string(50000, 'x'));
  for (const char* launcher : {kFull, kClosed}) {
    expect_told({"--help"}, launcher);
    expect_told({"--version"}, launcher);
    expect_told({"train", "--help"}, launcher);
    expect_told({"prepare", folder + "/a.txt", "--split", "tail", "--output", folder + "/a.h5"},
                launcher);
    expect_told({"inspect", folder + "/a.h5"}, launcher);
  }
}

TEST(Output, AnErrorOfTheCommandItselfKeepsItsCode) {
  const Outcome outcome = invoke({"trian"}, {.launcher = kFull});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("unknown command"), std::string::npos) << outcome.err;
}

TEST(Output, GenerateStopsWhenNobodyTakesItsText) {
  const std::string folder = fresh_folder();
  write_file(folder + "/a.txt", std::string(20000, 'x'));
  ASSERT_EQ(invoke({"prepare", folder + "/a.txt", "--split", "tail", "--output", folder + "/a.h5"})
                .exit_code,
            0);
  const Outcome trained = invoke({"train",
                                  "--data.path",
                                  folder + "/a.h5",
                                  "--run.dir",
                                  folder + "/run",
                                  "--run.steps",
                                  "1",
                                  "--model.dim",
                                  "32",
                                  "--model.layers",
                                  "1",
                                  "--model.heads",
                                  "2",
                                  "--model.kv_heads",
                                  "2",
                                  "--model.ffn",
                                  "64",
                                  "--data.seq_len",
                                  "32",
                                  "--data.micro_batch",
                                  "1",
                                  "--data.global_batch",
                                  "1"},
                                 {.ranks = 1});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  // All of these would take longer than the test may.
  expect_told(
      {"generate", "--checkpoint", folder + "/run", "--prompt", "x", "--tokens", "16777216"},
      kFull);
}

}  // namespace
}  // namespace ballast::cli
