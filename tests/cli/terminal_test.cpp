#include "cli/terminal.hpp"

#include <gtest/gtest.h>

namespace ballast::cli {
namespace {

const TerminalFacts kByHand{.stdout_is_tty = true,
                            .under_launcher = false,
                            .parent_name = "bash",
                            .parent_stdout = "/dev/pts/3",
                            .term = "xterm",
                            .no_color = false};
const TerminalFacts kUnderMpirun{.stdout_is_tty = true,
                                 .under_launcher = true,
                                 .parent_name = "mpirun",
                                 .parent_stdout = "/dev/pts/3",
                                 .term = "xterm",
                                 .no_color = false};

TEST(Terminal, IsLiveAndColoredForAPersonAtOne) {
  EXPECT_TRUE(decide_terminal(kByHand).live);
  EXPECT_TRUE(decide_terminal(kByHand).color);
}

TEST(Terminal, IsPlainForAFileOrPipe) {
  TerminalFacts facts = kByHand;
  facts.stdout_is_tty = false;
  EXPECT_FALSE(decide_terminal(facts).live);
  EXPECT_FALSE(decide_terminal(facts).color);
}

TEST(Terminal, LooksBehindMpirunsPseudoTerminal) {
  EXPECT_TRUE(decide_terminal(kUnderMpirun).live);
  for (const char* target : {"/home/me/train.out", "pipe:[1234]", "/dev/null", ""}) {
    TerminalFacts facts = kUnderMpirun;
    facts.parent_stdout = target;
    EXPECT_FALSE(decide_terminal(facts).live) << target;
  }
}

TEST(Terminal, IsPlainWhereTheLauncherCannotBeSeen) {
  for (const char* parent : {"orted", "slurmstepd", "bash", ""}) {
    TerminalFacts facts = kUnderMpirun;
    facts.parent_name = parent;
    EXPECT_FALSE(decide_terminal(facts).live) << parent;
  }
}

TEST(Terminal, HonoursNoColorAndDumbTerminals) {
  TerminalFacts facts = kByHand;
  facts.no_color = true;
  EXPECT_TRUE(decide_terminal(facts).live);
  EXPECT_FALSE(decide_terminal(facts).color);
  facts = kByHand;
  facts.term = "dumb";
  EXPECT_FALSE(decide_terminal(facts).live);
  facts.term = "";
  EXPECT_FALSE(decide_terminal(facts).color);
}

TEST(Terminal, BoldOnlyWithColor) {
  EXPECT_EQ(bold("x", {.live = true, .color = false}), "x");
  EXPECT_EQ(bold("x", {.live = true, .color = true}), "\x1b[1mx\x1b[0m");
}

}  // namespace
}  // namespace ballast::cli
