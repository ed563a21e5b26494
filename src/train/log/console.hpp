#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ballast::train {

/// Standard output, line by line. It notices when nobody reads it any more: when a pipe was closed
/// or a terminal hung up. The process must ignore SIGPIPE.
class Console {
 public:
  /// Writes a line; does nothing once the reader is gone.
  void say(std::string_view line);
  [[nodiscard]] bool has_reader() const { return has_reader_; }
  /// A warning that lines were lost here, and why; returned once.
  [[nodiscard]] std::optional<std::string> take_message();

 private:
  bool has_reader_ = true;
  std::optional<int> failure_;  ///< the first error
  bool is_told_ = false;
};

}  // namespace ballast::train
