#include "base/standby.hpp"

#include <algorithm>

namespace ballast {

namespace {

/// A thread that makes progress uses its processor all the time, except for what others take.
constexpr double kLeastShare = 0.25;

/// A thread that was moved may take this long to start.
constexpr double kPatience_s = 0.005;

double seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

cpu_set_t set_of(std::span<const std::size_t> processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const std::size_t processor : processors) {
    if (processor < CPU_SETSIZE) CPU_SET(processor, &set);
  }
  return set;
}

void keep_on(pthread_t thread, const cpu_set_t& processors) {
  static_cast<void>(::pthread_setaffinity_np(thread, sizeof processors, &processors));
}

bool set_policy(pthread_t thread, int policy) {
  const sched_param none{};
  return ::pthread_setschedparam(thread, policy, &none) == 0;
}

}  // namespace

void stay_on(std::span<const std::size_t> processors) {
  keep_on(::pthread_self(), set_of(processors));
}

Standby::Standby(std::span<const std::size_t> processors) : processors_{set_of(processors)} {}

bool Standby::enlist() {
  thread_ = ::pthread_self();
  if (CPU_COUNT(&processors_) == 0 &&
      ::pthread_getaffinity_np(thread_, sizeof processors_, &processors_) != 0) {
    return false;
  }
  if (::pthread_getcpuclockid(thread_, &clock_) != 0 || !set_policy(thread_, SCHED_IDLE)) {
    return false;
  }
  keep_on(thread_, processors_);
  return true;
}

bool Standby::rests(std::uint32_t round) const {
  const std::uint32_t end = rests_until_.load(std::memory_order_relaxed);
  return static_cast<std::int32_t>(round - end) < 0;
}

bool Standby::Reading::is_starved_since(const Reading& then) const {
  return used_s - then.used_s < kLeastShare * (at_s - then.at_s);
}

Standby::Reading Standby::read() const { return {seconds(CLOCK_MONOTONIC), seconds(clock_)}; }

Standby::State Standby::poll() {
  const std::uint32_t task = tasks_.load(std::memory_order_acquire);
  if (task % 2 == 0) return State::idle;
  if (is_moved_) return State::moved;
  const Reading now = read();
  const bool pushed_off = task == seen_task_ && now.is_starved_since(seen_);
  seen_task_ = task;
  seen_ = now;
  if (!pushed_off) return State::running;
  move_here();
  return State::moved;
}

/// Without the right to raise its priority the thread remains a standby, which is enough if nobody
/// else wants this processor.
void Standby::move_here() {
  const int here = ::sched_getcpu();
  if (here < 0) return;
  is_moved_ = true;
  static_cast<void>(set_policy(thread_, SCHED_OTHER));
  const auto home = static_cast<std::size_t>(here);
  keep_on(thread_, set_of({&home, 1}));
}

void Standby::let_go(std::uint32_t round) {
  if (!is_moved_) return;
  is_moved_ = false;
  const Reading now = read();
  if (now.at_s - seen_.at_s > kPatience_s && now.is_starved_since(seen_)) {
    rests_until_.store(round + next_rest_, std::memory_order_relaxed);
    next_rest_ = std::min(2 * next_rest_, kLongestRest);
  }
  static_cast<void>(set_policy(thread_, SCHED_IDLE));
  keep_on(thread_, processors_);
}

}  // namespace ballast
