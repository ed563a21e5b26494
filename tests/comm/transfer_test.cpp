#include "comm/transfer.hpp"

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "support/world.hpp"

namespace ballast::comm {
namespace {

using test::world;

constexpr std::byte kUntouched{0xEE};

std::size_t ranks() { return static_cast<std::size_t>(world().size()); }
std::size_t own_rank() { return static_cast<std::size_t>(world().rank()); }

/// Every rank sends an uneven part to every other, which has a gap of 3 bytes before each.
class Gather {
 public:
  Gather(std::size_t number, std::size_t scale) : number_{number} {
    std::size_t end = 0;
    for (std::size_t rank = 0; rank < ranks(); ++rank) {
      end += 3;
      offsets_.push_back(end);
      counts_.push_back(scale * ((number + rank) % 3) + (rank + number) % 2);
      end += counts_.back();
    }
    receive_.assign(end, kUntouched);
    expected_ = receive_;
    for (std::size_t rank = 0; rank < ranks(); ++rank) {
      for (std::size_t i = 0; i < counts_[rank]; ++i) expected_[offsets_[rank] + i] = mark(rank, i);
    }
    const auto own = std::span{expected_}.subspan(offsets_[own_rank()], counts_[own_rank()]);
    own_.assign(own.begin(), own.end());
  }

  void start(Transfer& transfer) {
    std::ranges::copy(own_, receive_.begin() + static_cast<std::ptrdiff_t>(offsets_[own_rank()]));
    transfer.start({"gather", name_});
    for (std::size_t peer = 0; peer < ranks(); ++peer) {
      if (peer == own_rank()) continue;
      transfer.receive(std::span{receive_}.subspan(offsets_[peer], counts_[peer]), peer);
      transfer.send(own_, peer);
    }
  }
  void expect_complete() const { EXPECT_EQ(receive_, expected_) << name_; }
  [[nodiscard]] bool is_complete() const { return receive_ == expected_; }

 private:
  [[nodiscard]] std::byte mark(std::size_t rank, std::size_t at) const {
    return static_cast<std::byte>(37 * rank + 101 * number_ + 7 * (at % 1009) + 1);
  }

  std::size_t number_;
  std::string name_ = "unit block." + std::to_string(number_);
  std::vector<std::size_t> counts_;
  std::vector<std::size_t> offsets_;
  std::vector<std::byte> own_;
  std::vector<std::byte> receive_;
  std::vector<std::byte> expected_;
};

TEST(Transfer, OneAfterTheOther) {
  Transfer transfer{world()};
  EXPECT_FALSE(transfer.under_way());
  std::size_t number = 0;
  for (const std::size_t scale : {0ul, 1ul, 999ul, 1ul << 20}) {
    Gather gather{++number, scale};
    gather.start(transfer);
    EXPECT_TRUE(transfer.under_way());
    transfer.finish();
    EXPECT_FALSE(transfer.under_way());
    gather.expect_complete();
  }
}

TEST(Transfer, SeveralUnderWayEndInAnyOrder) {
  std::vector<Transfer> transfers;
  std::vector<Gather> gathers;
  for (std::size_t i = 0; i < 5; ++i) {
    transfers.emplace_back(world());
    gathers.emplace_back(i, 300'001);
  }
  for (const std::size_t stride : {1u, 2u, 3u}) {
    for (std::size_t i = 0; i < gathers.size(); ++i) gathers[i].start(transfers[i]);
    EXPECT_EQ(world().sum(1, {"sum", "meanwhile"}), world().size());
    for (std::size_t i = 0; i < gathers.size(); ++i) {
      // Each rank in its own order.
      const std::size_t at = (own_rank() + i * stride) % gathers.size();
      transfers[at].finish();
      gathers[at].expect_complete();
    }
  }
}

TEST(Transfer, PokesAreEnough) {
  Transfer transfer{world()};
  Gather gather{2, 1 << 19};
  transfer.poke();
  gather.start(transfer);
  while (!gather.is_complete()) transfer.poke();
  // What this rank sends must arrive as well before it rests.
  transfer.finish();
  transfer.finish();
  EXPECT_FALSE(transfer.under_way());
}

TEST(Transfer, CutsLongMessages) {
  Communicator part = world().split(0);
  part.set_longest_message(1000);
  Transfer transfer{part};
  Gather gather{1, 4999};
  gather.start(transfer);
  transfer.finish();
  gather.expect_complete();
}

TEST(Transfer, CountsItsTimeAsWork) {
  std::ignore = world().take_timings();
  Transfer transfer{world()};
  Gather gather{1, 100'000};
  gather.start(transfer);
  transfer.finish();
  const Timings timings = world().take_timings();
  EXPECT_GT(timings.work_s, 0.0);
  EXPECT_EQ(timings.skew_s, 0.0);
}

TEST(Transfer, RefusesASecondGatherAtOnce) {
  Transfer transfer{world()};
  Gather first{3, 100};
  Gather second{4, 100};
  first.start(transfer);
  EXPECT_THROW(second.start(transfer), Error);
  EXPECT_TRUE(transfer.under_way());
  transfer.finish();
  first.expect_complete();
  second.start(transfer);
  transfer.finish();
  second.expect_complete();
}

/// Ranks that disagree about a length hear so, as in a gather that is waited for.
TEST(Transfer, NamesWhoSentTooMuch) {
  if (ranks() < 2) GTEST_SKIP() << "needs two ranks";
  Communicator part = world().split(0);  // what goes wrong here must not reach other tests
  part.set_step(17);
  Transfer transfer{part};
  std::vector<std::byte> bytes(12);
  const bool root = part.is_root();
  transfer.start({"gather", "table"});
  for (int peer = 1; root && peer < part.size(); ++peer) {
    transfer.send(bytes, static_cast<std::size_t>(peer));
  }
  if (!root) transfer.receive(std::span{bytes}.first(8), 0);
  if (root) return transfer.finish();
  try {
    transfer.finish();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(),
              fmt::format("gather of table at step 17 on {}: more than the 8 bytes expected "
                          "came from {}; the ranks disagree",
                          part.label(part.rank()), part.label(0)));
  }
  EXPECT_FALSE(transfer.under_way());
}

}  // namespace
}  // namespace ballast::comm
