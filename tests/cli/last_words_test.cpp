#include "cli/last_words.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <thread>

namespace ballast::cli {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;

void wait_in_vain() {
  const LastWords words{"rank 1/3 here: c.h5 is truncated", ExitCode::data, 20ms};
  std::this_thread::sleep_for(1h);
}

void end_in_order() {
  { const LastWords words{"never said", ExitCode::data, 1h}; }
  std::_Exit(0);
}

TEST(LastWordsDeathTest, SpeaksAndEndsTheProcessWhenTheOthersDoNotCome) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(wait_in_vain(), testing::ExitedWithCode(3),
              "ballast: error: rank 1/3 here: c.h5 is truncated");
}

TEST(LastWordsDeathTest, AreNotSaidAtAnOrderlyEnd) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(end_in_order(), testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace ballast::cli
