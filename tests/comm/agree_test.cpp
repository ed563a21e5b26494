#include "comm/agree.hpp"

#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "support/world.hpp"

namespace ballast::comm {
namespace {

using test::world;

/// What agree() throws on this rank; fails the test if it throws nothing.
Error error_of(const std::function<void()>& work) {
  try {
    agree(world(), "opening a file", work);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return usage_error("none");
}

TEST(Agree, RunsTheWorkOnceOnEveryRank) {
  int runs = 0;
  agree(world(), "counting", [&] { ++runs; });
  EXPECT_EQ(runs, 1);
}

TEST(Agree, OneFailingRankFailsAllByName) {
  for (int bad = 0; bad < world().size(); ++bad) {
    const Error error = error_of([&] {
      if (world().rank() == bad) throw data_error("corpus.h5 is missing");
    });
    EXPECT_EQ(error.code(), ExitCode::data);
    const std::string prefix = world().size() == 1 ? "" : fmt::format("[{}] ", world().name(bad));
    EXPECT_EQ(error.what(), prefix + "corpus.h5 is missing");
  }
}

TEST(Agree, OneVoiceWhenAllFailAlike) {
  const Error error = error_of([] { throw usage_error("heads 3 do not divide dim 64"); });
  EXPECT_EQ(error.code(), ExitCode::usage);
  EXPECT_STREQ(error.what(), "heads 3 do not divide dim 64");
}

TEST(Agree, TheLowestFailingRankSpeaks) {
  const int last = world().size() - 1;
  const int speaker = last == 0 ? 0 : 1;
  const Error error = error_of([&] {
    if (world().rank() < speaker) return;
    if (world().rank() == speaker) throw data_error("seen by {}", speaker);
    throw usage_error("seen by {}", world().rank());
  });
  EXPECT_EQ(error.code(), ExitCode::data);
  const std::string prefix = last == 0 ? "" : fmt::format("[{}] ", world().name(speaker));
  EXPECT_EQ(error.what(), fmt::format("{}seen by {}", prefix, speaker));
}

TEST(Agree, SameWordsWithAnotherCodeAreNotTheSame) {
  if (world().size() < 2) GTEST_SKIP() << "needs two ranks";
  const Error error = error_of([] {
    throw Error{world().is_root() ? ExitCode::run_again : ExitCode::internal, "bad"};
  });
  EXPECT_EQ(error.code(), ExitCode::run_again);
  EXPECT_EQ(error.what(), fmt::format("[{}] bad", world().name(0)));
}

TEST(Agree, ForeignExceptionsAreInternal) {
  const Error standard = error_of([] { throw std::bad_alloc{}; });
  EXPECT_EQ(standard.code(), ExitCode::internal);
  EXPECT_STREQ(standard.what(), "opening a file: std::bad_alloc");
  const Error unknown = error_of([] { throw 7; });
  EXPECT_EQ(unknown.code(), ExitCode::internal);
}

TEST(Agree, AnEmptyMessageIsStillAFailure) {
  EXPECT_STREQ(error_of([] { throw data_error(""); }).what(), "");
}

TEST(AgreeOn, HandsOutTheValue) {
  EXPECT_EQ(agree_on<int>(world(), "counting", [] { return 40 + world().rank(); }),
            40 + world().rank());
  EXPECT_THROW(std::ignore = agree_on<int>(world(), "counting",
                                           []() -> int {
                                             if (world().is_root()) throw data_error("no");
                                             return 1;
                                           }),
               Error);
}

TEST(Agree, WhatAFileSystemRefusesIsADataError) {
  const Error error = error_of([] { std::filesystem::create_directory("/proc/none/here"); });
  EXPECT_EQ(error.code(), ExitCode::data);
  EXPECT_NE(std::string{error.what()}.find("/proc/none/here"), std::string::npos) << error.what();
}

TEST(AgreeStepwise, EveryRankTakesEveryStep) {
  std::vector<std::size_t> steps;
  agree_stepwise(world(), "counting", 3, [&](std::size_t step) { steps.push_back(step); });
  EXPECT_EQ(steps, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(AgreeStepwise, TheStepThatFailsIsTheLastOfAll) {
  const int last = world().size() - 1;
  std::size_t taken = 0;
  try {
    agree_stepwise(world(), "counting", 9, [&](std::size_t step) {
      ++taken;
      if (world().rank() == last && step == 4) throw data_error("no room for step {}", step);
    });
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    const std::string prefix = last == 0 ? "" : fmt::format("[{}] ", world().name(last));
    EXPECT_EQ(error.what(), prefix + "no room for step 4");
  }
  EXPECT_EQ(taken, 5u);
}

/// Four steps that take longer than the timeout together: nobody is missing.
TEST(AgreeStepwise, LongWorkInStepsOutlastsTheTimeout) {
  auto part = world().split(0);
  part.set_timeout_s(1.0);
  EXPECT_NO_THROW(agree_stepwise(part, "sleeping", 4, [&](std::size_t) {
    if (part.rank() == 0) std::this_thread::sleep_for(std::chrono::milliseconds{600});
  }));
}

}  // namespace
}  // namespace ballast::comm
