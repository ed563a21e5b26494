#include "comm/board.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <sched.h>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace ballast::comm {
namespace {

/// What ranks of a test do while they wait.
enum class Idle { yield, sleep };

/// Nobody sleeps so long: who is not woken hangs.
constexpr std::chrono::hours kForever{1};

void wait(const Board& board, std::size_t kind, std::size_t rank, std::uint32_t value, Idle idle) {
  board.wait(kind, rank, value, [&] {
    if (idle == Idle::yield) sched_yield();
    if (idle == Idle::sleep) board.sleep(kind, rank, value, kForever);
  });
}

/// Zeros for a board, at an address that a board may begin at.
class BoardMemory {
 public:
  BoardMemory(std::size_t kinds, std::size_t ranks) : lines_(Board::bytes(kinds, ranks) / 128) {}
  [[nodiscard]] std::span<std::byte> bytes() { return std::as_writable_bytes(std::span{lines_}); }

 private:
  struct alignas(128) Line {
    std::array<std::byte, 128> bytes{};
  };
  std::vector<Line> lines_;
};

/// Runs act(rank) on a thread for each rank.
template <class Act>
void run_ranks(std::size_t ranks, Act&& act) {
  std::vector<std::jthread> threads;
  for (std::size_t rank = 0; rank < ranks; ++rank) threads.emplace_back([&, rank] { act(rank); });
}

/// Sets every counter of `kind` on all ranks, as if that much had happened before.
void start_at(std::span<std::byte> memory, std::size_t kinds, std::size_t ranks,
              std::uint32_t value) {
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    Board board{memory, kinds, ranks, rank};
    for (std::size_t kind = 0; kind < kinds; ++kind) board.post(kind, value);
  }
}

enum Kind : std::size_t { kWritten, kRead, kKinds };

/// What ranks do with gradient slots: each fills its two slots in turn, and reads its share of
/// every rank's slot; a slot is filled again once all have read it.
class Slots {
 public:
  Slots(std::size_t ranks, std::size_t words, std::uint32_t start, Idle idle = Idle::yield)
      : ranks_{ranks}, words_{words}, start_{start}, idle_{idle}, memory_{kKinds, ranks} {
    for (auto& slot : slots_) slot.assign(ranks * words, 0);
    start_at(memory_.bytes(), kKinds, ranks, start);
  }

  /// How many words were not what their writer put there.
  [[nodiscard]] std::size_t play(std::uint32_t rounds) {
    std::vector<std::size_t> wrong(ranks_);
    run_ranks(ranks_, [&](std::size_t rank) { wrong[rank] = play_rank(rank, rounds); });
    std::size_t total = 0;
    for (const std::size_t count : wrong) total += count;
    return total;
  }

 private:
  [[nodiscard]] static std::uint64_t content(std::size_t rank, std::uint32_t round, std::size_t i) {
    return (std::uint64_t{round} << 32) + 1000 * rank + i;
  }

  [[nodiscard]] std::size_t play_rank(std::size_t rank, std::uint32_t rounds) {
    Board board{memory_.bytes(), kKinds, ranks_, rank};
    std::size_t wrong = 0;
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      auto& slot = slots_[round % 2];
      if (round > 2) wait_for_all(board, kRead, round - 2);
      for (std::size_t i = 0; i < words_; ++i) slot[rank * words_ + i] = content(rank, round, i);
      board.post(kWritten, start_ + round);
      for (std::size_t writer = 0; writer < ranks_; ++writer) {
        wait(board, kWritten, writer, start_ + round, idle_);
        for (std::size_t i = rank; i < words_; i += ranks_) {
          if (slot[writer * words_ + i] != content(writer, round, i)) ++wrong;
        }
      }
      board.post(kRead, start_ + round);
    }
    return wrong;
  }

  void wait_for_all(const Board& board, Kind kind, std::uint32_t round) const {
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      wait(board, kind, rank, start_ + round, idle_);
    }
  }

  std::size_t ranks_;
  std::size_t words_;
  std::uint32_t start_;
  Idle idle_;
  BoardMemory memory_;
  std::array<std::vector<std::uint64_t>, 2> slots_;  ///< of all ranks: [ranks, words]
};

TEST(Board, OrdersWritesAndReads) {
  for (const std::size_t ranks : {1u, 2u, 3u, 5u}) {
    EXPECT_EQ((Slots{ranks, 257, 0}.play(400)), 0u) << ranks << " ranks";
  }
}

TEST(Board, MoreRanksThanCores) {
  const std::size_t ranks = 2 * std::max(1u, std::thread::hardware_concurrency()) + 5;
  EXPECT_EQ((Slots{std::min<std::size_t>(ranks, 33), 97, 0}.play(60)), 0u);
}

TEST(Board, WhoeverSleepsIsWoken) {
  for (const std::size_t ranks : {2u, 3u, 5u, 17u}) {
    EXPECT_EQ((Slots{ranks, 97, 0xFFFF'FFC0u, Idle::sleep}.play(200)), 0u) << ranks << " ranks";
  }
}

TEST(Board, NobodySleepsForWhatIsThereOrForLongerThanAsked) {
  BoardMemory memory{1, 2};
  const Board waiting{memory.bytes(), 1, 2, 0};
  Board{memory.bytes(), 1, 2, 1}.post(0, 3);
  waiting.sleep(0, 1, 3, kForever);
  waiting.sleep(0, 1, 2, kForever);
  waiting.sleep(0, 1, 4, std::chrono::microseconds{50});
}

TEST(Board, CountsPastTheEndOf32Bits) {
  for (const std::uint32_t start : {0xFFFF'FFFFu, 0xFFFF'FFC0u, 0x7FFF'FFC0u}) {
    EXPECT_EQ((Slots{3, 33, start}.play(200)), 0u) << "from " << start;
  }
}

TEST(Board, ReachedMeansThisValueOrLater) {
  BoardMemory memory{2, 3};
  Board board{memory.bytes(), 2, 3, 1};
  EXPECT_TRUE(board.reached(0, 1, 0));
  EXPECT_FALSE(board.reached(0, 1, 1));
  board.post(0, 5);
  EXPECT_TRUE(board.reached(0, 1, 4));
  EXPECT_TRUE(board.reached(0, 1, 5));
  EXPECT_FALSE(board.reached(0, 1, 6));
  board.post(0, 0x8000'0000u);
  board.post(0, 0xFFFF'FFFFu);
  EXPECT_FALSE(board.reached(0, 1, 0));
  board.post(0, 2);
  EXPECT_TRUE(board.reached(0, 1, 0xFFFF'FFFFu));
  EXPECT_FALSE(board.reached(0, 1, 3));
}

TEST(Board, CountersAreApart) {
  constexpr std::size_t kAllKinds = 3;
  constexpr std::size_t kRanks = 5;
  BoardMemory memory{kAllKinds, kRanks};
  for (std::uint32_t kind = 0; kind < kAllKinds; ++kind) {
    for (std::uint32_t rank = 0; rank < kRanks; ++rank) {
      Board{memory.bytes(), kAllKinds, kRanks, rank}.post(kind, 10 * kind + rank + 1);
    }
  }
  const Board board{memory.bytes(), kAllKinds, kRanks, 0};
  for (std::uint32_t kind = 0; kind < kAllKinds; ++kind) {
    for (std::uint32_t rank = 0; rank < kRanks; ++rank) {
      EXPECT_TRUE(board.reached(kind, rank, 10 * kind + rank + 1));
      EXPECT_FALSE(board.reached(kind, rank, 10 * kind + rank + 2));
    }
  }
}

TEST(Board, LooksAroundWhileItWaits) {
  BoardMemory memory{1, 2};
  const Board waiting{memory.bytes(), 1, 2, 0};
  Board other{memory.bytes(), 1, 2, 1};
  int rounds = 0;
  waiting.wait(0, 1, 3, [&] { other.post(0, static_cast<std::uint32_t>(++rounds)); });
  EXPECT_EQ(rounds, 3);
  waiting.wait(0, 1, 3, [&] { ++rounds; });
  EXPECT_EQ(rounds, 3);
}

TEST(Board, RefusesMemoryThatDoesNotFit) {
  BoardMemory memory{3, 5};
  const auto bytes = memory.bytes();
  EXPECT_THROW((Board{bytes.first(bytes.size() - 1), 3, 5, 0}), Error);
  EXPECT_THROW((Board{bytes.subspan(64), 1, 1, 0}), Error);
  EXPECT_THROW((Board{bytes, 3, 5, 5}), Error);
}

}  // namespace
}  // namespace ballast::comm
