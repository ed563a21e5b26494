#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <pthread.h>
#include <sched.h>
#include <span>

namespace ballast {

/// What a thread is to the system that works only on processors which would otherwise be idle
/// (SCHED_IDLE of Linux, sched(7)): as soon as somebody else wants its processor it is pushed off,
/// be it in the middle of a task. Who waits for that task then calls it home, to the processor that
/// waiting leaves idle. Where it finds no processor there either, since others want that one, it
/// costs more than it brings, and rests for a while.
class Standby {
 public:
  /// For the processors with these numbers; none: for those on which the thread may run anyway.
  explicit Standby(std::span<const std::size_t> processors);

  /// By the thread itself, before all else. False where the system refuses: then it must not work,
  /// since it would take a processor's time from others.
  [[nodiscard]] bool enlist();
  /// By the thread itself: is it to leave this round of tasks to others? Rounds are counted up.
  [[nodiscard]] bool rests(std::uint32_t round) const;
  /// By the thread itself, around each task.
  void begin_task() { tasks_.fetch_add(1, std::memory_order_release); }
  void end_task() { tasks_.fetch_add(1, std::memory_order_release); }

  enum class State {
    off_duty,  ///< in no task
    at_work,   ///< in a task, and for all that is known it gets on
    at_home,   ///< pushed off its processor, and now called to that of the caller
  };
  /// By who waits for its task, again and again: a task in which the thread used no processor since
  /// the last look was pushed off.
  State look();
  /// By the same, once the tasks of this round are done: lets it go again if it was called.
  void let_go(std::uint32_t round);

 private:
  /// When, by the clock, and how much time of processors the thread had used by then.
  struct Reading {
    double at_s = 0.0;
    double used_s = 0.0;

    /// Whether it got next to nothing of the time since `then`.
    [[nodiscard]] bool is_starved_since(const Reading& then) const;
  };

  [[nodiscard]] Reading read() const;
  void call_home();

  /// Rounds: some steps of a training.
  static constexpr std::uint32_t kFirstRest = 1u << 10;
  static constexpr std::uint32_t kLongestRest = 1u << 20;

  cpu_set_t processors_;
  pthread_t thread_{};
  clockid_t clock_{};
  std::atomic<std::uint32_t> tasks_{0};        ///< begun and ended: odd within one
  std::atomic<std::uint32_t> rests_until_{0};  ///< a round

  // Of who looks.
  bool called_ = false;
  std::uint32_t seen_task_ = 0;
  Reading seen_;
  std::uint32_t next_rest_ = kFirstRest;
};

/// The calling thread stays on these processors, or as many of them as the system lets it. Where
/// that fails it stays where it was: only its speed is at stake.
void stay_on(std::span<const std::size_t> processors);

}  // namespace ballast
