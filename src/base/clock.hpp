#pragma once

#include <algorithm>
#include <chrono>

namespace ballast {

/// Seconds on the monotonic clock; wall-clock jumps never reach a timeout.
[[nodiscard]] inline double monotonic_s() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

class Stopwatch {
 public:
  [[nodiscard]] double elapsed_s() const { return monotonic_s() - start_s_; }
  void restart() { start_s_ = monotonic_s(); }

 private:
  double start_s_ = monotonic_s();
};

/// How long a process has waited while it was running. The waiting process calls `look` several
/// times a second. A longer gap means that it was itself stopped, frozen or not scheduled, perhaps
/// together with the processes that it waits for, and so counts only as kLongestGap_s. A job that
/// is suspended as a whole and continued hours later has lost no patience.
class Patience {
 public:
  static constexpr double kLongestGap_s = 0.5;

  void restart(double now_s = monotonic_s()) {
    waited_s_ = 0.0;
    looked_s_ = now_s;
  }
  /// Seconds waited since the start, this look included.
  [[nodiscard]] double look(double now_s = monotonic_s()) {
    waited_s_ += std::min(now_s - looked_s_, kLongestGap_s);
    looked_s_ = now_s;
    return waited_s_;
  }

 private:
  double waited_s_ = 0.0;
  double looked_s_ = monotonic_s();
};

}  // namespace ballast
