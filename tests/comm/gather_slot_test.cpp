#include "comm/gather_slot.hpp"

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

/// One gather of uneven parts, with a gap of 3 bytes before each.
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

  void start(GatherSlot& slot) {
    slot.start(own_, receive_, counts_, offsets_, {"all_gather", name_});
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

TEST(GatherSlot, OneAfterTheOther) {
  GatherSlot slot{world()};
  EXPECT_FALSE(slot.under_way());
  std::size_t number = 0;
  for (const std::size_t scale : {0ul, 1ul, 999ul, 1ul << 20}) {
    Gather gather{++number, scale};
    gather.start(slot);
    EXPECT_TRUE(slot.under_way());
    slot.finish();
    EXPECT_FALSE(slot.under_way());
    gather.expect_complete();
  }
}

TEST(GatherSlot, SeveralUnderWayEndInAnyOrder) {
  std::vector<GatherSlot> slots;
  std::vector<Gather> gathers;
  for (std::size_t i = 0; i < 5; ++i) {
    slots.emplace_back(world());
    gathers.emplace_back(i, 300'001);
  }
  for (const std::size_t stride : {1u, 2u, 3u}) {
    for (std::size_t i = 0; i < gathers.size(); ++i) gathers[i].start(slots[i]);
    EXPECT_EQ(world().sum(1, {"sum", "meanwhile"}), world().size());
    for (std::size_t i = 0; i < gathers.size(); ++i) {
      // Each rank in its own order.
      const std::size_t at = (own_rank() + i * stride) % gathers.size();
      slots[at].finish();
      gathers[at].expect_complete();
    }
  }
}

TEST(GatherSlot, PokesAreEnough) {
  GatherSlot slot{world()};
  Gather gather{2, 1 << 19};
  slot.poke();
  gather.start(slot);
  while (!gather.is_complete()) slot.poke();
  // What this rank sends must arrive as well before it rests.
  slot.finish();
  slot.finish();
  EXPECT_FALSE(slot.under_way());
}

TEST(GatherSlot, CutsLongMessages) {
  Communicator part = world().split(0);
  part.set_longest_message(1000);
  GatherSlot slot{part};
  Gather gather{1, 4999};
  gather.start(slot);
  slot.finish();
  gather.expect_complete();
}

TEST(GatherSlot, CountsItsTimeAsWork) {
  std::ignore = world().take_timings();
  GatherSlot slot{world()};
  Gather gather{1, 100'000};
  gather.start(slot);
  slot.finish();
  const Timings timings = world().take_timings();
  EXPECT_GT(timings.work_s, 0.0);
  EXPECT_EQ(timings.skew_s, 0.0);
}

TEST(GatherSlot, RefusesASecondGatherAtOnce) {
  GatherSlot slot{world()};
  Gather first{3, 100};
  Gather second{4, 100};
  first.start(slot);
  EXPECT_THROW(second.start(slot), Error);
  EXPECT_TRUE(slot.under_way());
  slot.finish();
  first.expect_complete();
  second.start(slot);
  slot.finish();
  second.expect_complete();
}

TEST(GatherSlot, RefusesPartsThatDoNotFit) {
  GatherSlot slot{world()};
  const std::vector<std::size_t> counts(ranks(), 4);
  const std::vector<std::size_t> offsets(ranks(), 3);
  std::vector<std::byte> bytes(6);
  EXPECT_THROW(slot.start(std::span{bytes}.first(4), bytes, counts, offsets, {"a"}), Error);
  EXPECT_FALSE(slot.under_way());
  Gather gather{5, 100};
  gather.start(slot);
  slot.finish();
  gather.expect_complete();
}

/// Ranks that disagree about a length hear so, as in a gather that is waited for.
TEST(GatherSlot, NamesWhoSentTooMuch) {
  if (ranks() < 2) GTEST_SKIP() << "needs two ranks";
  Communicator part = world().split(0);  // what goes wrong here must not reach other tests
  part.set_step(17);
  GatherSlot slot{part};
  const bool root = part.is_root();
  std::vector<std::byte> own(root ? 12 : 0);
  std::vector<std::byte> receive(12);
  std::vector<std::size_t> counts(ranks(), 0);
  counts[0] = root ? 12 : 8;
  const std::vector<std::size_t> offsets(ranks(), 0);
  slot.start(own, receive, counts, offsets, {"all_gather", "table"});
  if (root) return slot.finish();
  try {
    slot.finish();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(),
              fmt::format("all_gather of table at step 17 on {}: more than the 8 bytes expected "
                          "came from {}; the ranks disagree",
                          part.label(part.rank()), part.label(0)));
  }
  EXPECT_FALSE(slot.under_way());
}

}  // namespace
}  // namespace ballast::comm
