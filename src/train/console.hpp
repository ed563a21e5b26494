#pragma once

#include <string_view>

namespace ballast::train {

/// Standard output as a place where people, or a pipe, read lines. It notices when its reader is
/// gone: a pipe that was closed, a terminal that was hung up. Needs SIGPIPE to be ignored.
class Console {
 public:
  /// Writes a line, and nothing once the reader is gone.
  void say(std::string_view line);
  [[nodiscard]] bool has_reader() const { return has_reader_; }

 private:
  bool has_reader_ = true;
};

}  // namespace ballast::train
