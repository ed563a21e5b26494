#include "cli/launcher.hpp"

#include <gtest/gtest.h>

#include "support/invoke.hpp"

namespace ballast::cli {
namespace {

using test::invoke;
using test::Outcome;

TEST(Launcher, AJobOfAnotherSizeIsAProblem) {
  EXPECT_EQ(launch_problem(std::nullopt, 1), "");
  EXPECT_EQ(launch_problem(LaunchedJob{"PMI_SIZE", 3}, 3), "");
  const std::string problem = launch_problem(LaunchedJob{"PMI_SIZE", 3}, 1);
  EXPECT_NE(problem.find("started 3 process(es) together (PMI_SIZE = 3)"), std::string::npos);
  EXPECT_NE(problem.find("finds 1"), std::string::npos) << problem;
}

TEST(Launcher, AnotherLaunchersProcessesDoNotTrainAlone) {
  const std::vector<std::string> command{"train", "--data.path", "none.h5", "--run.dir", "none"};
  for (const std::string step : {"PMI_SIZE=2", "SLURM_STEP_NUM_TASKS=2"}) {
    const std::string rank = step[0] == 'P' ? "PMI_RANK=" : "SLURM_PROCID=";
    const Outcome first = invoke(command, {.variables = {step, rank + "0"}});
    EXPECT_EQ(first.exit_code, 2);
    EXPECT_NE(first.err.find("2 process(es) together"), std::string::npos) << first.err;
    const Outcome second = invoke(command, {.variables = {step, rank + "1"}});
    EXPECT_EQ(second.exit_code, 2);
    EXPECT_EQ(second.err, "");
  }
}

TEST(Launcher, MpirunUnderSlurmSpeaksForItself) {
  const Outcome outcome =
      invoke({"train", "--data.path", "none.h5", "--run.dir", "none"},
             {.ranks = 2, .variables = {"SLURM_STEP_NUM_TASKS=5", "SLURM_PROCID=0"}});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find("'none.h5' does not exist"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace ballast::cli
