#include "comm/same.hpp"

#include <gtest/gtest.h>

#include "support/world.hpp"

namespace ballast::comm {
namespace {

using test::world;

std::string told(const Facts& root, const Facts& own) {
  return differences(root, "rank 0/2 (a)", own, "rank 1/2 (b)");
}

TEST(Differences, NameBothSides) {
  EXPECT_EQ(told({{"optim.lr", "0.1"}}, {{"optim.lr", "0.1"}}), "");
  EXPECT_EQ(
      told({{"optim.lr", "0.1"}, {"run.seed", "1"}}, {{"optim.lr", "0.2"}, {"run.seed", "1"}}),
      "optim.lr: rank 0/2 (a) has 0.1, rank 1/2 (b) has 0.2");
  EXPECT_EQ(
      told({{"program", "ballast 0.1.0 (commit 5206d8cd6a64)"}},
           {{"program", "ballast 0.1.0 (commit unknown)"}}),
      "program: rank 0/2 (a) has ballast 0.1.0 (commit 5206d8cd6a64), rank 1/2 (b) has ballast "
      "0.1.0 (commit unknown)");
}

TEST(Differences, WhereIsShownButNotCompared) {
  EXPECT_EQ(told({{"dataset", "12", "'/x'"}}, {{"dataset", "12", "'/y'"}}), "");
  EXPECT_EQ(told({{"dataset", "12", "'/x'"}}, {{"dataset", "13", "'/y'"}}),
            "dataset: rank 0/2 (a) has 12 in '/x', rank 1/2 (b) has 13 in '/y'");
}

TEST(Differences, AFactOfOneSideOnlyIsOne) {
  EXPECT_EQ(
      told({{"old", "1"}}, {{"new", "2"}}),
      "old: rank 0/2 (a) has 1, rank 1/2 (b) has nothing; new: rank 0/2 (a) has nothing, rank "
      "1/2 (b) has 2");
}

TEST(Differences, ManyAreCounted) {
  Facts root, own;
  for (int i = 0; i < 11; ++i) {
    root.push_back({fmt::format("key{}", i), "1"});
    own.push_back({fmt::format("key{}", i), "2"});
  }
  const std::string text = told(root, own);
  EXPECT_NE(text.find("key7: "), std::string::npos);
  EXPECT_EQ(text.find("key8: "), std::string::npos);
  EXPECT_NE(text.find("; and 3 more differ"), std::string::npos);
}

TEST(RequireSame, SaysNothingWhereAllAreAlike) {
  const std::string own_place = fmt::format("/host{}", world().rank());
  require_same(world(), {{"a", "1", own_place}, {"b", ""}}, ExitCode::data, "copy it");
  require_same(world(), {}, ExitCode::data, "copy it");
}

TEST(RequireSame, OneRankThatDiffersFailsAllWithBothSidesNamed) {
  for (int bad = 1; bad < world().size(); ++bad) {
    try {
      require_same(world(), {{"a", "1"}, {"b", world().rank() == bad ? "3" : "2"}}, ExitCode::usage,
                   "start alike");
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_EQ(error.what(), fmt::format("b: {} has 2, {} has 3: start alike", world().label(0),
                                          world().label(bad)));
    }
  }
}

TEST(RequireSame, AllOthersAreCounted) {
  if (world().size() < 3) GTEST_SKIP() << "needs three ranks";
  try {
    require_same(world(), {{"a", std::to_string(world().rank())}}, ExitCode::data, "copy it");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string{error.what()}.find(
                  fmt::format("({} more rank(s) differ from rank 0, too)", world().size() - 2)),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace ballast::comm
