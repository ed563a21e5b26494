#pragma once

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

}  // namespace ballast
