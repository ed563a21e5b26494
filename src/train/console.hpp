#pragma once

#include <cstddef>
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
  /// What people should know once, in another place: that lines cannot be written, as on a full
  /// disk, or that they can again.
  [[nodiscard]] std::optional<std::string> take_news();

 private:
  bool has_reader_ = true;
  int error_ = 0;         ///< of the last line; 0: it is written
  int told_ = 0;          ///< the error that was told
  std::size_t lost_ = 0;  ///< lines since then
};

}  // namespace ballast::train
