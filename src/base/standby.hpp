#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <pthread.h>
#include <sched.h>
#include <span>

namespace ballast {

/// A thread that works only on processors which would otherwise be idle (SCHED_IDLE of Linux,
/// sched(7)). When another thread wants its processor, the system pushes it off, even in the middle
/// of a task. The thread that waits for this task then moves it to its own processor, which is idle
/// while it waits. If others want that processor too, the helper costs more than it brings, and
/// rests for a while.
class Standby {
 public:
  /// The processors that it may use, by number; if empty, those on which the thread may run anyway.
  explicit Standby(std::span<const std::size_t> processors);

  /// Called by the thread itself, first of all. False if the system refuses: then the thread must
  /// not work, since it would take a processor's time from others.
  [[nodiscard]] bool enlist();
  /// Called by the thread itself: does it leave this round to others? Rounds are counted upward.
  [[nodiscard]] bool rests(std::uint32_t round) const;
  /// Called by the thread itself, around each task.
  void begin_task() { tasks_.fetch_add(1, std::memory_order_release); }
  void end_task() { tasks_.fetch_add(1, std::memory_order_release); }

  enum class State {
    idle,     ///< in no task
    running,  ///< in a task, and as far as is known it makes progress
    moved,    ///< pushed off its processor, and moved to the caller's
  };
  /// Called again and again by the thread that waits for the task. If the helper used no processor
  /// time since the last call, it was pushed off.
  State poll();
  /// Called by the same thread after the round's tasks: undoes a move to the caller's processor.
  void let_go(std::uint32_t round);

 private:
  /// A time on the clock, and the processor time that the thread had used by then.
  struct Reading {
    double at_s = 0.0;
    double used_s = 0.0;

    /// Whether the thread got almost no processor time since `then`.
    [[nodiscard]] bool is_starved_since(const Reading& then) const;
  };

  [[nodiscard]] Reading read() const;
  void move_here();

  /// In rounds: about as long as a few steps of a training.
  static constexpr std::uint32_t kFirstRest = 1u << 10;
  static constexpr std::uint32_t kLongestRest = 1u << 20;

  cpu_set_t processors_;
  pthread_t thread_{};
  clockid_t clock_{};
  std::atomic<std::uint32_t> tasks_{0};        ///< begun plus ended: odd within a task
  std::atomic<std::uint32_t> rests_until_{0};  ///< a round

  // State of the watching thread.
  bool is_moved_ = false;
  std::uint32_t seen_task_ = 0;
  Reading seen_;
  std::uint32_t next_rest_ = kFirstRest;
};

/// Binds the calling thread to these processors, or to those of them that the system allows. If
/// this fails, the thread stays where it was: only its speed depends on it.
void stay_on(std::span<const std::size_t> processors);

}  // namespace ballast
