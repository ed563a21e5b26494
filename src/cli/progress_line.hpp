#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "cli/terminal.hpp"

namespace ballast::cli {

/// One line on a live terminal that shows the progress of long work; nothing elsewhere. The
/// destructor removes it.
class ProgressLine {
 public:
  /// `title` must outlive the line.
  ProgressLine(std::string_view title, const Terminal& terminal);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Bytes done of bytes to do (0: unknown); redrawn a few times a second.
  void show(std::uint64_t done, std::uint64_t total);

 private:
  std::string_view title_;
  bool is_live_;
  bool is_shown_ = false;
  double next_draw_s_ = 0.0;
};

}  // namespace ballast::cli
