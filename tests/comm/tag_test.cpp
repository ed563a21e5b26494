#include "comm/tag.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace ballast::comm {
namespace {

constexpr Place kGather{"all_gather", "unit block.3"};

TEST(Tag, NextCollectivesDifferWhateverTheLibraryAllows) {
  for (const int limit :
       {kLowestTagLimit, 65'535, (1 << 22) - 1, std::numeric_limits<int>::max()}) {
    for (const std::uint64_t sequence : {0ull, 1ull, 32'766ull, 32'767ull, 1ull << 40}) {
      const int tag = tag_for(sequence, kGather, limit);
      EXPECT_GE(tag, 0);
      EXPECT_LE(tag, limit);
      EXPECT_NE(tag, tag_for(sequence + 1, kGather, limit));
    }
  }
}

TEST(Tag, TellsPlacesApartWhereThereIsRoom) {
  const int limit = std::numeric_limits<int>::max();
  const int tag = tag_for(5, kGather, limit);
  EXPECT_EQ(tag, tag_for(5, Place{"all_gather", "unit block.3"}, limit));
  EXPECT_NE(tag, tag_for(5, Place{"all_gather", "unit block.4"}, limit));
  EXPECT_NE(tag, tag_for(5, Place{"broadcast", "unit block.3"}, limit));
  EXPECT_NE(tag_for(5, Place{"a", "b"}, limit), tag_for(5, Place{"b", "a"}, limit));
}

}  // namespace
}  // namespace ballast::comm
