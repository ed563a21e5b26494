#include "comm/tag.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace ballast::comm {
namespace {

constexpr int kMost = std::numeric_limits<int>::max();
constexpr Place kGather{"all_gather", "unit block.3"};

TEST(Tag, NextCollectivesDifferWhateverTheLibraryAllows) {
  for (const int limit : {kLowestTagLimit, 65'535, (1 << 22) - 1, 5'000'000, kMost}) {
    for (const std::uint64_t sequence : {0ull, 1ull, 32'766ull, 32'767ull, 1ull << 40}) {
      const int tag = tag_for(sequence, kGather, 17, limit);
      EXPECT_GE(tag, 0);
      EXPECT_LE(tag, limit);
      EXPECT_NE(tag, tag_for(sequence + 1, kGather, 17, limit));
      EXPECT_NE(tag, tag_for(sequence, kGather, 18, limit));
    }
  }
}

TEST(Tag, TellsPlacesApart) {
  for (const int limit : {kLowestTagLimit, kMost}) {
    const int tag = tag_for(5, kGather, 17, limit);
    EXPECT_EQ(tag, tag_for(5, Place{"all_gather", "unit block.3"}, 17, limit));
    EXPECT_NE(tag, tag_for(5, Place{"all_gather", "unit block.4"}, 17, limit));
    EXPECT_NE(tag, tag_for(5, Place{"broadcast", "unit block.3"}, 17, limit));
    EXPECT_NE(tag_for(5, Place{"a", "b"}, 17, limit), tag_for(5, Place{"b", "a"}, 17, limit));
  }
}

}  // namespace
}  // namespace ballast::comm
