#include "cli/last_words.hpp"

#include <cstdlib>
#include <utility>

#include "cli/job.hpp"

namespace ballast::cli {

LastWords::LastWords(std::string message, ExitCode code, std::chrono::milliseconds grace)
    : watch_{[this, message = std::move(message), code, grace] {
        std::unique_lock lock{mutex_};
        if (finished_.wait_for(lock, grace, [this] { return is_finished_; })) return;
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
