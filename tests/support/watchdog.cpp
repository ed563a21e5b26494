#include "support/watchdog.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"

namespace ballast::test {

Watchdog::Watchdog(std::string rank, double limit_s)
    : rank_{std::move(rank)}, limit_s_{limit_s}, thread_{[this](const std::stop_token& stop) {
        run(stop);
      }} {}

void Watchdog::watch(std::string what) {
  {
    const std::scoped_lock lock{mutex_};
    watched_ = std::move(what);
    deadline_ = std::chrono::steady_clock::now() +
                std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                    std::chrono::duration<double>{limit_s_});
    ++changes_;
  }
  changed_.notify_one();
}

void Watchdog::run(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    // A copy: while the thread waits, others may write the member.
    const auto deadline = deadline_;
    const auto changed = [this, seen = changes_] { return changes_ != seen; };
    if (watched_.empty()) {
      changed_.wait(lock, stop, changed);
    } else if (!changed_.wait_until(lock, stop, deadline, changed) && !stop.stop_requested()) {
      end();
    }
  }
}

void Watchdog::end() const {
  const std::string text = fmt::format("{}: stuck in {} for {:g} s\n", rank_, watched_, limit_s_);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  ::_exit(static_cast<int>(ExitCode::internal));
}

}  // namespace ballast::test
