#include "train/console.hpp"

#include <cerrno>
#include <cstdio>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

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
  if (is_written) return;
  has_reader_ = !means_no_reader(errno);
  std::clearerr(stdout);
}

}  // namespace ballast::train
