#include "comm/await.hpp"

#include <chrono>
#include <cstdint>
#include <gtest/gtest.h>
#include <thread>

#include "comm/shared_region.hpp"
#include "support/world.hpp"

namespace ballast::comm {
namespace {

using test::world;

constexpr Place kPlace{"await", "test"};

std::size_t ranks() { return static_cast<std::size_t>(world().size()); }
std::size_t own_rank() { return static_cast<std::size_t>(world().rank()); }

/// A region with a board in the root's part and some words of each rank behind it.
class Await : public testing::Test {
 protected:
  static constexpr std::size_t kKinds = 2;
  static constexpr std::size_t kWords = 1001;

  Await()
      : region_{world(), kWords * sizeof(std::uint64_t)},
        board_region_{world(), world().is_root() ? Board::bytes(kKinds, ranks()) : 0},
        board_{board_region_.part(0), kKinds, ranks(), own_rank()} {}
  ~Await() override { world().barrier({"end of the region"}); }

  [[nodiscard]] std::span<std::uint64_t> words(std::size_t rank) const {
    const auto part = region_.part(static_cast<int>(rank));
    return {reinterpret_cast<std::uint64_t*>(part.data()), kWords};
  }

  SharedRegion region_;
  SharedRegion board_region_;
  Board board_;
};

/// Two kinds of events in turn: "my words are written" and "I have read those of all".
TEST_F(Await, OrdersWhatRanksWriteAndRead) {
  for (std::uint32_t round = 1; round <= 300; ++round) {
    for (auto& word : words(own_rank())) word = round * 1000 + own_rank();
    board_.post(0, round);
    await(world(), board_, 0, {0, ranks()}, round, kPlace);
    for (std::size_t rank = 0; rank < ranks(); ++rank) {
      for (const auto word : words(rank)) ASSERT_EQ(word, round * 1000 + rank);
    }
    board_.post(1, round);
    await(world(), board_, 1, {0, ranks()}, round, kPlace);
  }
}

TEST_F(Await, NobodyIsWaitedForInAnEmptyRange) {
  await(world(), board_, 0, {0, 0}, 1, kPlace);
  await(world(), board_, 0, {ranks(), 0}, 1, kPlace);
}

/// In processes, not in threads as in the board's own tests. Nobody sleeps so long: who is not
/// woken hangs.
TEST_F(Await, SleepersOfOtherProcessesAreWoken) {
  for (std::uint32_t round = 1; round <= 50; ++round) {
    if (own_rank() == round % ranks()) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      board_.post(0, round);
    }
    while (!board_.reached(0, round % ranks(), round)) {
      board_.sleep(0, round % ranks(), round, std::chrono::hours{1});
    }
  }
}

TEST_F(Await, WaitsOnlyForTheRange) {
  // A chain: each rank waits for the one before it alone; nobody waits for the last.
  const std::size_t before = own_rank() == 0 ? 0 : own_rank() - 1;
  await(world(), board_, 0, {before, own_rank() == 0 ? 0u : 1u}, 7, kPlace);
  EXPECT_TRUE(own_rank() == 0 || board_.reached(0, before, 7));
  board_.post(0, 7);
}

/// A large message ends only with the sender's help, which here waits for the receiver's word.
TEST_F(Await, MessagesMoveMeanwhile) {
  if (ranks() < 2) GTEST_SKIP() << "needs two ranks";
  constexpr int kBytes = 8 << 20;
  constexpr int kTag = 5;
  std::vector<std::byte> bytes(kBytes, static_cast<std::byte>(own_rank() + 1));
  Communicator part = world().split(0);
  MPI_Request request = MPI_REQUEST_NULL;
  if (own_rank() == 0) {
    ASSERT_EQ(MPI_Isend(bytes.data(), kBytes, MPI_BYTE, 1, kTag, MPI_COMM_WORLD, &request), 0);
    await(part, board_, 0, {1, 1}, 1, kPlace);
  }
  if (own_rank() == 1) {
    ASSERT_EQ(MPI_Recv(bytes.data(), kBytes, MPI_BYTE, 0, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
              0);
    EXPECT_EQ(bytes.back(), std::byte{1});
    board_.post(0, 1);
  }
  ASSERT_EQ(MPI_Wait(&request, MPI_STATUS_IGNORE), 0);
}

TEST_F(Await, CountsTheTimeAsWaiting) {
  std::ignore = world().take_timings();
  board_.post(0, 1);
  await(world(), board_, 0, {0, ranks()}, 1, kPlace);
  const Timings timings = world().take_timings();
  EXPECT_GT(timings.skew_s, 0.0);
  EXPECT_EQ(timings.work_s, 0.0);
  world().add_work_s(1.5);
  world().add_work_s(2.0);
  EXPECT_EQ(world().take_timings().work_s, 3.5);
}

}  // namespace
}  // namespace ballast::comm
