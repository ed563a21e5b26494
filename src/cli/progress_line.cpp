#include "cli/progress_line.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

#include "base/text.hpp"

namespace ballast::cli {

namespace {

constexpr double kRedrawS = 0.2;
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(std::string_view title, const Terminal& terminal)
    : title_{title}, is_live_{terminal.live} {}

ProgressLine::~ProgressLine() {
  if (!is_shown_) return;
  std::fputs(kClearLine, stdout);
  std::fflush(stdout);
}

void ProgressLine::show(std::uint64_t done, std::uint64_t total) {
  if (!is_live_ || monotonic_s() < next_draw_s_) return;
  next_draw_s_ = monotonic_s() + kRedrawS;
  is_shown_ = true;
  const std::string share =
      total == 0 ? std::string{}
                 : fmt::format(" {:3.0f}%", 100.0 * std::min(1.0, static_cast<double>(done) /
                                                                      static_cast<double>(total)));
  fmt::print("{}{}{} {}", kClearLine, title_, share, human_bytes(done));
  std::fflush(stdout);
}

}  // namespace ballast::cli
