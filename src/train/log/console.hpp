#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ballast::train {

/// Standard output as a place where people, or a pipe, read lines. It notices when its reader is
/// gone: a pipe that was closed, a terminal that was hung up. Needs SIGPIPE to be ignored.
class Console {
 public:
  /// Writes a line, and nothing once the reader is gone.
  void say(std::string_view line);
  [[nodiscard]] bool has_reader() const { return has_reader_; }
  /// Told once: that lines are lost here, and why.
  [[nodiscard]] std::optional<std::string> take_news();

 private:
  bool has_reader_ = true;
  std::optional<int> failure_;  ///< the first error
  bool is_told_ = false;
};

}  // namespace ballast::train
