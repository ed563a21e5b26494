#include "cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "base/error.hpp"

namespace ballast::cli {

bool output_failed() { return std::ferror(stdout) != 0; }

void flush_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && !output_failed()) return;
  const std::string why =
      flushed || errno == 0 ? "an earlier write failed" : std::generic_category().message(errno);
  throw data_error("cannot write to standard output: {}", why);
}

void print_line(const std::string& line) {
  std::fflush(stdout);
  std::fputs((line + '\n').c_str(), stderr);
}

void print_error(const std::string& message) { print_line("ballast: error: " + message); }

}  // namespace ballast::cli
