#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ballast::comm {

/// Counters with which ranks that share memory tell each other how far they are: one of 32 bits for
/// each kind of event and rank, written by its rank alone, read by all. A rank that waits for one
/// may sleep until it changes. Whatever a rank wrote to shared memory before it posts a value is
/// seen by every rank that has found the value reached.
///
/// The board is a view of bytes that start as zeros and that all ranks see, as processes or as
/// threads. Counters may wrap at 2^32, as long as none is 2^31 or more ahead of a value that others
/// wait for.
///
/// post and reached order memory accesses, except non-temporal stores: after these, call
/// `_mm_sfence()` before `post`.
class Board {
 public:
  /// Each counter has this many bytes to itself: two cache lines, since processors fetch lines in
  /// pairs.
  static constexpr std::size_t kStride = 128;

  /// The bytes that a board of this shape needs.
  [[nodiscard]] static constexpr std::size_t bytes(std::size_t kinds, std::size_t ranks) {
    return kinds * ranks * kStride;
  }

  /// `memory` begins at a multiple of kStride and has at least bytes(kinds, ranks).
  Board(std::span<std::byte> memory, std::size_t kinds, std::size_t ranks, std::size_t own_rank);

  /// Posts `value`, which must not be behind what this rank posted before, and wakes the waiters.
  void post(std::size_t kind, std::uint32_t value) {
    // Sequentially consistent: a rank that goes to sleep has seen the value, or is seen here.
    counter(kind, own_rank_).store(value);
    if (sleepers(kind, own_rank_).load() != 0) wake(kind);
  }

  /// Has `rank` posted `value` or a later one?
  [[nodiscard]] bool reached(std::size_t kind, std::size_t rank, std::uint32_t value) const {
    return !is_behind(counter(kind, rank).load(std::memory_order_acquire), value);
  }

  /// Waits until reached(kind, rank, value). Spins at first, since a rank on a core of its own
  /// answers soon, then calls idle() in each round, to lend the core and to do other pending work.
  template <class Idle>
  void wait(std::size_t kind, std::size_t rank, std::uint32_t value, Idle&& idle) const {
    for (int spins = 0; !reached(kind, rank, value);) {
      if (spins < kSpins) {
        ++spins;
        relax();
      } else {
        idle();
      }
    }
  }

  /// Sleeps until `rank` posts something of `kind`, or for `longest`; at times wakes for nothing.
  /// Does not sleep when `value` is reached.
  void sleep(std::size_t kind, std::size_t rank, std::uint32_t value,
             std::chrono::nanoseconds longest) const;

 private:
  using Counter = std::atomic_ref<std::uint32_t>;
  static_assert(Counter::is_always_lock_free, "a lock would be private to each process");

  // About ten microseconds: several times the duration of an answer, but much less than a time
  // slice, which matters if there are more ranks than cores.
  static constexpr int kSpins = 300;

  /// Tells the processor that this is a waiting loop.
  static void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  [[nodiscard]] static bool is_behind(std::uint32_t now, std::uint32_t value) {
    return static_cast<std::int32_t>(now - value) < 0;
  }
  void wake(std::size_t kind);

  [[nodiscard]] std::uint32_t& word(std::size_t kind, std::size_t rank, std::size_t offset) const {
    std::byte* place = memory_.data() + (kind * ranks_ + rank) * kStride + offset;
    return *reinterpret_cast<std::uint32_t*>(place);
  }
  [[nodiscard]] Counter counter(std::size_t kind, std::size_t rank) const {
    return Counter{word(kind, rank, 0)};
  }
  /// How many sleep until this counter changes: on the line beside it, which its rank only reads.
  [[nodiscard]] Counter sleepers(std::size_t kind, std::size_t rank) const {
    return Counter{word(kind, rank, kStride / 2)};
  }

  std::span<std::byte> memory_;
  std::size_t ranks_;
  std::size_t own_rank_;
};

}  // namespace ballast::comm
