#include "train/console.hpp"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ballast::train {

namespace {

/// After a write that failed with `error`. A full disk has a reader still; of a terminal that is
/// gone EIO tells, which on a file would be its disk.
bool means_no_reader(int error) {
  struct stat status {};
  const bool is_device = ::fstat(STDOUT_FILENO, &status) == 0 && S_ISCHR(status.st_mode);
  return error == EPIPE || error == EBADF || (error == EIO && is_device);
}

}  // namespace

void Console::say(std::string_view line) {
  if (!has_reader_) return;
  const std::string text = std::string{line} + '\n';
  errno = 0;
  const bool is_written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  error_ = is_written ? 0 : errno;
  if (is_written) return;
  has_reader_ = !means_no_reader(error_);
  ++lost_;
  std::clearerr(stdout);
}

std::optional<std::string> Console::take_news() {
  if (error_ != 0 && told_ == 0 && has_reader_) {
    told_ = error_;
    return fmt::format("warning: standard output cannot be written: {}; the run goes on",
                       std::generic_category().message(error_));
  }
  if (error_ == 0 && told_ != 0) {
    told_ = 0;
    return fmt::format("standard output is written again; {} of its lines are in this log alone",
                       std::exchange(lost_, 0));
  }
  return std::nullopt;
}

}  // namespace ballast::train
