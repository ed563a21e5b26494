#include "comm/communicator.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/process.hpp"
#include "support/world.hpp"

namespace ballast::comm {
namespace {

using test::world;

std::size_t index(int rank) { return static_cast<std::size_t>(rank); }

/// A byte that tells who sent it to whom and where it lay.
std::byte mark(int from, int to, std::size_t at) {
  return static_cast<std::byte>(37 * from + 101 * to + 7 * static_cast<int>(at % 1009) + 1);
}

/// Slices laid out one after the other with a gap of 3 bytes before each.
struct Layout {
  explicit Layout(std::vector<std::size_t> sizes) : counts{std::move(sizes)} {
    for (const std::size_t count : counts) {
      total += 3;
      offsets.push_back(total);
      total += count;
    }
  }
  std::vector<std::size_t> counts;
  std::vector<std::size_t> offsets;
  std::size_t total = 0;
};

constexpr std::byte kUntouched{0xEE};

/// Gathers parts of part_size(rank) bytes, `own` lying inside the result or apart, and compares
/// every byte, those of the gaps too.
enum class Own { in_place, apart };
using PartSize = std::function<std::size_t(std::size_t rank)>;
void check_all_gather(Own where, const PartSize& part_size) {
  Communicator& comm = world();
  std::vector<std::size_t> sizes;
  for (int rank = 0; rank < comm.size(); ++rank) sizes.push_back(part_size(index(rank)));
  const Layout layout{sizes};
  std::vector<std::byte> expected(layout.total, kUntouched);
  for (int rank = 0; rank < comm.size(); ++rank) {
    for (std::size_t i = 0; i < sizes[index(rank)]; ++i) {
      expected[layout.offsets[index(rank)] + i] = mark(rank, 0, i);
    }
  }
  const std::size_t begin = layout.offsets[index(comm.rank())];
  const std::span mine{expected.data() + begin, sizes[index(comm.rank())]};
  std::vector<std::byte> receive(layout.total, kUntouched);
  std::vector<std::byte> apart(mine.begin(), mine.end());
  std::span<const std::byte> own{apart};
  if (where == Own::in_place) {
    std::ranges::copy(mine, receive.begin() + static_cast<std::ptrdiff_t>(begin));
    own = std::span{receive}.subspan(begin, mine.size());
  }
  comm.all_gather(own, receive, layout.counts, layout.offsets, {"all_gather", "test"});
  EXPECT_EQ(receive, expected);
}

TEST(AllGather, EqualParts) {
  check_all_gather(Own::apart, [](std::size_t) { return 24; });
  check_all_gather(Own::in_place, [](std::size_t) { return 24; });
}

TEST(AllGather, UnevenAndEmptyParts) {
  for (const Own own : {Own::apart, Own::in_place}) {
    check_all_gather(own, [](std::size_t rank) { return 13 * rank; });
    check_all_gather(own, [](std::size_t rank) { return rank % 2 == 0 ? 0 : 5; });
    check_all_gather(own,
                     [](std::size_t rank) { return rank == index(world().size() - 1) ? 17 : 0; });
    check_all_gather(own, [](std::size_t) { return 0; });
  }
}

TEST(AllGather, PartsOfMebibytes) {
  check_all_gather(Own::in_place, [](std::size_t rank) { return (std::size_t{3} << 20) + rank; });
}

TEST(AllGather, CutsLongMessages) {
  world().set_longest_message(1000);
  check_all_gather(Own::apart, [](std::size_t rank) { return 1000 * rank; });
  check_all_gather(Own::apart, [](std::size_t rank) { return 4999 + rank; });
  world().set_longest_message(std::size_t{1} << 30);
  EXPECT_THROW(world().set_longest_message(0), Error);
  EXPECT_THROW(world().set_longest_message((std::size_t{1} << 30) + 1), Error);
}

TEST(AllGather, RefusesPartsThatDoNotFit) {
  Communicator& comm = world();
  const std::vector<std::size_t> counts(index(comm.size()), 4);
  std::vector<std::size_t> offsets(index(comm.size()), 0);
  std::vector<std::byte> receive(6);
  offsets.back() = 3;
  EXPECT_THROW(comm.all_gather(std::span{receive}.first(4), receive, counts, offsets, {"a"}),
               Error);
  offsets.back() = std::numeric_limits<std::size_t>::max();
  EXPECT_THROW(comm.all_gather(std::span{receive}.first(4), receive, counts, offsets, {"a"}),
               Error);
  offsets.back() = 2;
  EXPECT_THROW(comm.all_gather(std::span{receive}.first(3), receive, counts, offsets, {"a"}),
               Error);
  offsets.push_back(0);
  EXPECT_THROW(comm.all_gather(std::span{receive}.first(4), receive, counts, offsets, {"a"}),
               Error);
}

/// slice_size(from, to) bytes go from each rank to each.
using SliceSize = std::function<std::size_t(std::size_t from, std::size_t to)>;
void check_all_to_all(const SliceSize& slice_size) {
  Communicator& comm = world();
  const int me = comm.rank();
  std::vector<std::size_t> outgoing;
  std::vector<std::size_t> incoming;
  for (int peer = 0; peer < comm.size(); ++peer) {
    outgoing.push_back(slice_size(index(me), index(peer)));
    incoming.push_back(slice_size(index(peer), index(me)));
  }
  const Layout out{outgoing};
  const Layout in{incoming};
  std::vector<std::byte> send(out.total, std::byte{0x55});
  std::vector<std::byte> expected(in.total, kUntouched);
  for (int peer = 0; peer < comm.size(); ++peer) {
    const std::size_t p = index(peer);
    for (std::size_t i = 0; i < outgoing[p]; ++i) send[out.offsets[p] + i] = mark(me, peer, i);
    for (std::size_t i = 0; i < incoming[p]; ++i) expected[in.offsets[p] + i] = mark(peer, me, i);
  }
  std::vector<std::byte> receive(in.total, kUntouched);
  comm.all_to_all(send, {out.counts, out.offsets}, receive, {in.counts, in.offsets},
                  {"all_to_all", "test"});
  EXPECT_EQ(receive, expected);
}

TEST(AllToAll, EqualUnevenAndEmptySlices) {
  check_all_to_all([](std::size_t, std::size_t) { return 16; });
  check_all_to_all([](std::size_t from, std::size_t to) { return 7 * from + 3 * to; });
  check_all_to_all([](std::size_t from, std::size_t to) { return (from + to) % 3 == 0 ? 11 : 0; });
  check_all_to_all([](std::size_t from, std::size_t) { return from == 0 ? 9 : 0; });
  check_all_to_all([](std::size_t, std::size_t) { return 0; });
}

TEST(AllToAll, SlicesOfMebibytes) {
  check_all_to_all(
      [](std::size_t from, std::size_t to) { return (std::size_t{1} << 20) + 31 * from + to; });
}

TEST(AllToAll, RefusesARankThatDisagreesWithItself) {
  Communicator& comm = world();
  const std::vector<std::size_t> none(index(comm.size()), 0);
  std::vector<std::size_t> one = none;
  one[index(comm.rank())] = 1;
  std::array<std::byte, 1> byte{};
  EXPECT_THROW(comm.all_to_all(byte, {one, none}, byte, {none, none}, {"a"}), Error);
}

TEST(Broadcast, FromEachRoot) {
  Communicator& comm = world();
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{3} << 20}) {
    for (int root = 0; root < comm.size(); ++root) {
      std::vector<std::byte> expected(count);
      for (std::size_t i = 0; i < count; ++i) expected[i] = mark(root, 0, i);
      std::vector<std::byte> bytes = comm.rank() == root ? expected : std::vector<std::byte>(count);
      comm.broadcast(bytes, root, {"broadcast", "test"});
      EXPECT_EQ(bytes, expected) << "from " << root;
    }
  }
}

/// A collective that some rank could leave before another arrived would let this count be seen low.
TEST(Barrier, NobodyLeavesBeforeAllHaveCome) {
  Communicator& comm = world();
  for (int round = 0; round < 50; ++round) {
    comm.barrier({"barrier"});
    EXPECT_EQ(comm.sum(round, {"sum"}), std::int64_t{round} * comm.size());
  }
}

TEST(Sum, OfVectorsIsTheSameOnEveryRank) {
  Communicator& comm = world();
  for (const std::size_t count : {0ul, 1ul, 33ul, 100'000ul}) {
    std::vector<std::int64_t> values(count);
    std::vector<std::int64_t> expected(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::int64_t>(i);
      for (int rank = 0; rank < comm.size(); ++rank) {
        expected[i] += (rank % 2 == 0 ? 1 : -3) * (at << 40) + rank;
      }
      values[i] = (comm.rank() % 2 == 0 ? 1 : -3) * (at << 40) + comm.rank();
    }
    comm.sum(values, {"sum", "test"});
    EXPECT_EQ(values, expected);
  }
}

TEST(Sum, LongVectorsOfOddLengths) {
  Communicator& comm = world();
  const auto ranks = static_cast<std::size_t>(comm.size());
  for (const std::size_t length : {256 * ranks, 256 * ranks + 1, 10'007 * ranks + 3}) {
    std::vector<std::int64_t> values(length);
    for (std::size_t i = 0; i < length; ++i) {
      values[i] = static_cast<std::int64_t>(i * i) - 1'000 * comm.rank();
    }
    comm.sum(values, {"sum", "long"});
    const std::int64_t shift = 1'000 * comm.size() * (comm.size() - 1) / 2;
    for (std::size_t i = 0; i < length; ++i) {
      ASSERT_EQ(values[i], comm.size() * static_cast<std::int64_t>(i * i) - shift) << i;
    }
  }
}

TEST(Sum, OverflowOfALongVectorIsAnErrorOnEveryRank) {
  Communicator& comm = world();
  if (comm.size() < 2) GTEST_SKIP() << "needs two ranks";
  std::vector<std::int64_t> values(256 * static_cast<std::size_t>(comm.size()));
  values[7] = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW(comm.sum(values, {"sum", "long"}), Error);
  EXPECT_EQ(comm.max(comm.rank(), {"max"}), comm.size() - 1);
}

TEST(Sum, OverflowIsAnErrorOnEveryRank) {
  Communicator& comm = world();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (comm.size() == 1) {
    EXPECT_EQ(comm.sum(most, {"sum"}), most);
  } else {
    EXPECT_THROW(std::ignore = comm.sum(most, {"sum"}), Error);
  }
  EXPECT_EQ(comm.sum(comm.is_root() ? most : 0, {"sum"}), most);
}

TEST(Max, TakesNegativeValues) {
  Communicator& comm = world();
  EXPECT_EQ(comm.max(-5 - comm.rank(), {"max"}), -5);
  EXPECT_EQ(comm.max(comm.rank(), {"max"}), comm.size() - 1);
}

TEST(Max, IsTakenElementByElement) {
  Communicator& comm = world();
  std::vector<std::int64_t> values{comm.rank(), -comm.rank(), 7};
  comm.max(values, {"max"});
  EXPECT_EQ(values, (std::vector<std::int64_t>{comm.size() - 1, 0, 7}));
}

TEST(Texts, GatherTakesUnevenLengths) {
  Communicator& comm = world();
  for (const std::size_t scale : {0ul, 1ul, 100'000ul}) {
    const auto text_of = [&](int rank) {
      return std::string(scale * index((rank * 5) % 3), static_cast<char>('a' + rank)) +
             std::string(index(rank % 2), '\0');
    };
    const auto texts = comm.gather_texts(text_of(comm.rank()), {"gather", "texts"});
    ASSERT_EQ(texts.size(), index(comm.size()));
    for (int rank = 0; rank < comm.size(); ++rank) EXPECT_EQ(texts[index(rank)], text_of(rank));
  }
}

TEST(Texts, BroadcastReplacesLongerAndShorterTexts) {
  Communicator& comm = world();
  for (int root = 0; root < comm.size(); ++root) {
    for (const std::string& text :
         {std::string{}, std::string{"ballast"}, std::string(70'000, 'b')}) {
      const std::string own = comm.rank() == root ? text : std::string(index(comm.rank()) * 9, 'x');
      EXPECT_EQ(comm.broadcast_text(own, root, {"broadcast", "text"}), text);
    }
  }
}

TEST(Split, ByColorKeepsTheOrderOfRanks) {
  Communicator& comm = world();
  Communicator part = comm.split(comm.rank() % 2);
  EXPECT_EQ(part.size(), (comm.size() + 1 - comm.rank() % 2) / 2);
  EXPECT_EQ(part.rank(), comm.rank() / 2);
  std::int64_t expected = 0;
  for (int rank = comm.rank() % 2; rank < comm.size(); rank += 2) expected += rank;
  EXPECT_EQ(part.sum(comm.rank(), {"sum"}), expected);
  for (int rank = 0; rank < part.size(); ++rank) {
    EXPECT_EQ(part.name(rank), comm.name(2 * rank + comm.rank() % 2));
  }
  EXPECT_THROW(std::ignore = comm.split(-1), Error);
}

TEST(Split, ByNodePutsRanksOfOneHostTogether) {
  Communicator& comm = world();
  Communicator node = comm.split_by_node();
  std::int64_t here = 0;
  for (int rank = 0; rank < comm.size(); ++rank) here += comm.host(rank) == host_name() ? 1 : 0;
  EXPECT_EQ(node.size(), here);
  EXPECT_EQ(node.sum(1, {"sum"}), here);
}

TEST(Split, PartsAndTheWholeDoNotMeet) {
  Communicator& comm = world();
  Communicator part = comm.split(0);
  // The same collective, at the same count, in both: the tags alone would not tell them apart.
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(part.max(round, {"max"}), round);
    EXPECT_EQ(comm.max(-round, {"max"}), -round);
  }
}

TEST(Communicator, MovesWithItsState) {
  Communicator first = world().split(0);
  first.set_step(7);
  EXPECT_EQ(first.sum(1, {"sum"}), world().size());
  Communicator second{std::move(first)};
  EXPECT_EQ(second.sum(2, {"sum"}), 2 * world().size());
  EXPECT_EQ(second.step(), 7u);
  Communicator third = world().split(0);
  third = std::move(second);
  EXPECT_EQ(third.sum(3, {"sum"}), 3 * world().size());
  EXPECT_EQ(third.rank(), world().rank());
}

TEST(Communicator, NamesRanksAndHosts) {
  Communicator& comm = world();
  EXPECT_EQ(comm.host(comm.rank()), host_name());
  EXPECT_EQ(comm.name(), fmt::format("rank {}/{} {}", comm.rank(), comm.size(), host_name()));
  EXPECT_EQ(comm.label(0), fmt::format("rank 0/{} ({})", comm.size(), comm.host(0)));
}

/// More collectives than there are counts in a tag.
TEST(Communicator, CountsBeyondTheTags) {
  Communicator part = world().split(0);
  for (std::int64_t i = 0; i < 33'000; ++i) {
    const int root = static_cast<int>(i % part.size());
    std::int64_t value = part.rank() == root ? i : -1;
    part.broadcast(std::as_writable_bytes(std::span{&value, 1}), root, {"broadcast"});
    ASSERT_EQ(value, i);
  }
}

/// Ranks that disagree about a length hear so, with the place and the peer.
void expect_disagreement(std::size_t sent, std::size_t expected, const std::string& text) {
  Communicator& comm = world();
  if (comm.size() < 2) GTEST_SKIP() << "needs two ranks";
  Communicator part = comm.split(0);  // what goes wrong here must not reach other tests
  part.set_step(17);
  std::vector<std::byte> bytes(part.is_root() ? sent : expected);
  const Place place{"broadcast", "table"};
  if (part.is_root()) {
    part.broadcast(bytes, 0, place);
  } else {
    try {
      part.broadcast(bytes, 0, place);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::internal);
      EXPECT_EQ(
          error.what(),
          fmt::format("broadcast of table at step 17 on {}: {} came from {}{}; the ranks disagree",
                      comm.label(comm.rank()), text, comm.label(0),
                      sent > expected ? "" : fmt::format(" where {} were expected", expected)));
    }
  }
}

TEST(Communicator, NamesWhoSentTooMuch) {
  expect_disagreement(12, 8, "more than the 8 bytes expected");
}

TEST(Communicator, NamesWhoSentTooLittle) { expect_disagreement(5, 8, "5 bytes"); }

}  // namespace
}  // namespace ballast::comm
