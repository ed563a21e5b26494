#include "train/log/console.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ballast::train {

namespace {

/// Whether a write that failed with `error` shows that nobody reads standard output any more. A
/// full disk does not show it. EIO shows it for a terminal; for a file it is an error of the disk.
bool means_no_reader(int error) {
  struct stat status {};
  const bool is_device = ::fstat(STDOUT_FILENO, &status) == 0 && S_ISCHR(status.st_mode);
  return error == EPIPE || error == EBADF || (error == EIO && is_device);
}

/// Writes without the C library's buffer, which would keep text that a disk once refused. Returns
/// errno, or 0.
int write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void Console::say(std::string_view line) {
  if (!has_reader_) return;
  const std::string text = std::string{line} + '\n';
  const int error = write_out(text);
  has_reader_ = error == 0 || !means_no_reader(error);
  if (error != 0 && !failure_) failure_ = error;
}

std::optional<std::string> Console::take_message() {
  if (!failure_ || is_told_) return std::nullopt;
  is_told_ = true;
  return fmt::format("warning: standard output lost lines: {}; this file has them",
                     std::generic_category().message(*failure_));
}

}  // namespace ballast::train
