#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace ballast::test {

/// Ends the process, by name, when what it watches takes too long: a thread, since the one that is
/// stuck cannot say so. It calls no MPI.
class Watchdog {
 public:
  /// `rank` as people read it, e.g. "rank 1/3 (node02)".
  Watchdog(std::string rank, double limit_s);

  void watch(std::string what);
  void rest() { watch({}); }

 private:
  void run(const std::stop_token& stop);
  [[noreturn]] void end() const;

  std::string rank_;
  double limit_s_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t changes_ = 0;
  std::string watched_;  ///< nothing when empty
  std::chrono::steady_clock::time_point deadline_;
  std::jthread thread_;  ///< last, so that it ends before what it uses
};

}  // namespace ballast::test
