#include "comm/agree.hpp"

#include <gtest/gtest.h>
#include <new>
#include <string>

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
  if (world().size() == 1) return;
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

}  // namespace
}  // namespace ballast::comm
