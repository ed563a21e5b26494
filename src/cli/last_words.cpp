#include "cli/last_words.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/clock.hpp"
#include "cli/output.hpp"

namespace ballast::cli {

namespace {

/// The interval between two readings of the clock. It is short, so that a job that is suspended as
/// a whole does not use up its grace.
constexpr std::chrono::milliseconds kLook{100};

}  // namespace

LastWords::LastWords(std::string message, ExitCode code, std::chrono::milliseconds grace)
    : watch_{[this, message = std::move(message), code, grace] {
        std::unique_lock lock{mutex_};
        const double grace_s = std::chrono::duration<double>(grace).count();
        for (Patience patience; patience.look() < grace_s;) {
          if (finished_.wait_for(lock, std::min(grace, kLook), [this] { return is_finished_; })) {
            return;
          }
        }
        if (!message.empty()) print_error(message);
        std::_Exit(static_cast<int>(code));
      }} {}

LastWords::~LastWords() {
  {
    const std::lock_guard lock{mutex_};
    is_finished_ = true;
  }
  finished_.notify_one();
  watch_.join();
}

}  // namespace ballast::cli
