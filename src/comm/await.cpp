#include "comm/await.hpp"

#include <sched.h>

#include "base/clock.hpp"
#include "base/narrow.hpp"
#include "comm/hang_report.hpp"

namespace ballast::comm {

namespace {

// Looking around costs as much as several looks at one counter.
constexpr int kRoundsPerLook = 8;

class Wait {
 public:
  Wait(Communicator& comm, const Board& board, std::size_t kind, RankRange ranks,
       std::uint32_t value, Place place)
      : comm_{comm}, board_{board}, kind_{kind}, ranks_{ranks}, value_{value}, place_{place} {}

  void run() {
    const Stopwatch watch;
    for (std::size_t rank = ranks_.first; rank < ranks_.first + ranks_.count; ++rank) {
      board_.wait(kind_, rank, value_, [this] { idle(); });
    }
    comm_.add_skew_s(watch.elapsed_s());
  }

 private:
  void idle() {
    if (++rounds_ % kRoundsPerLook == 0) look_around();
    sched_yield();
  }

  void look_around() {
    comm_.make_progress();
    std::size_t arrived = 0;
    for (std::size_t rank = ranks_.first; rank < ranks_.first + ranks_.count; ++rank) {
      if (board_.reached(kind_, rank, value_)) ++arrived;
    }
    if (arrived != arrived_) {
      arrived_ = arrived;
      since_progress_.restart();
    } else if (since_progress_.elapsed_s() > comm_.timeout_s()) {
      end();
    }
  }

  [[noreturn]] void end() const {
    Exchange::Missing missing;
    for (std::size_t rank = ranks_.first; rank < ranks_.first + ranks_.count; ++rank) {
      if (!board_.reached(kind_, rank, value_)) missing.silent.push_back(narrow<int>(rank));
    }
    end_stuck(comm_, place_, missing, comm_.timeout_s());
  }

  Communicator& comm_;
  const Board& board_;
  std::size_t kind_;
  RankRange ranks_;
  std::uint32_t value_;
  Place place_;
  Stopwatch since_progress_;
  std::size_t arrived_ = 0;  ///< ranks, when last looked around
  unsigned rounds_ = 0;
};

}  // namespace

void await(Communicator& comm, const Board& board, std::size_t kind, RankRange ranks,
           std::uint32_t value, Place place) {
  Wait{comm, board, kind, ranks, value, place}.run();
}

}  // namespace ballast::comm
