#include "comm/await.hpp"

#include <chrono>

#include "base/checked_cast.hpp"
#include "base/clock.hpp"
#include "comm/hang_report.hpp"

namespace ballast::comm {

namespace {

/// A nap ends early with what it waits for; in between MPI has to get on.
constexpr std::chrono::microseconds kNap{100};

class Wait {
 public:
  Wait(Communicator& comm, const Board& board, std::size_t kind, RankRange ranks,
       std::uint32_t value, Place place)
      : comm_{comm}, board_{board}, kind_{kind}, ranks_{ranks}, value_{value}, place_{place} {}

  void run() {
    const Stopwatch watch;
    for (std::size_t rank = ranks_.first; rank < ranks_.first + ranks_.count; ++rank) {
      board_.wait(kind_, rank, value_, [&] { idle(rank); });
    }
    comm_.add_skew_s(watch.elapsed_s());
  }

 private:
  /// Sleeps rather than yields: to yield is to wait until others have had their turn, be they of
  /// the lowest priority, while who is woken goes before these.
  void idle(std::size_t rank) {
    look_around();
    board_.sleep(kind_, rank, value_, kNap);
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
    } else if (since_progress_.look() > comm_.timeout_s()) {
      end();
    }
  }

  [[noreturn]] void end() const {
    Exchange::Missing missing;
    for (std::size_t rank = ranks_.first; rank < ranks_.first + ranks_.count; ++rank) {
      if (!board_.reached(kind_, rank, value_)) missing.silent.push_back(checked_cast<int>(rank));
    }
    end_stuck(comm_.reporter(), place_, missing, comm_.timeout_s());
  }

  Communicator& comm_;
  const Board& board_;
  std::size_t kind_;
  RankRange ranks_;
  std::uint32_t value_;
  Place place_;
  Patience since_progress_;
  std::size_t arrived_ = 0;  ///< ranks, when last looked around
};

}  // namespace

void await(Communicator& comm, const Board& board, std::size_t kind, RankRange ranks,
           std::uint32_t value, Place place) {
  Wait{comm, board, kind, ranks, value, place}.run();
}

}  // namespace ballast::comm
