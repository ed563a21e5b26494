#include "data/reach.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace ballast::data {
namespace {

using Segments = std::vector<std::uint64_t>;

TEST(Reach, CountsWhatWindowsShowOfEachSegment) {
  const Segments segments{0, 101, 121, 122};  // 100, 19 and 0 labels
  const Reach reach = reach_of(segments, 20);
  EXPECT_EQ(reach.windows, 5u);
  EXPECT_DOUBLE_EQ(reach.share, 100.0 / 122.0);
  EXPECT_EQ(reach_of(segments, 10).windows, 11u);
  EXPECT_EQ(reach_of(segments, 101).windows, 0u);
  EXPECT_EQ(reach_of(segments, 101).share, 0.0);
  EXPECT_EQ(reach_of(Segments{0}, 4).windows, 0u);
}

TEST(Reach, ShorterWindowsAreThoseThatReachEnough) {
  const Segments one{0, 1025};
  EXPECT_EQ(shorter_windows(one, 2000, 0.9), 1024u);
  const Segments many{0, 65, 130, 195};  // 64 labels each
  EXPECT_EQ(shorter_windows(many, 2000, 0.9), 64u);
  EXPECT_EQ(shorter_windows(many, 64, 0.9), 32u) << "below the length asked about";
  EXPECT_EQ(shorter_windows(many, 2000, 0.99), 0u);
  EXPECT_EQ(shorter_windows(many, 1, 0.1), 0u);
  EXPECT_EQ(shorter_windows(Segments{0}, 8, 0.1), 0u);
}

}  // namespace
}  // namespace ballast::data
