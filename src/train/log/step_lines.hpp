#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "storage/append_file.hpp"

namespace ballast::train {

/// A file of one JSON object a line, each with its "step": a log that a resumed run continues where
/// its checkpoint was taken.
class StepLines {
 public:
  /// Writes nothing; for ranks that keep no log.
  StepLines() = default;
  /// Opens `file`. Records after step `keep_until` are cut off, and a half-written last line; 0
  /// begins anew. Data Errors name the file.
  StepLines(const std::filesystem::path& file, std::uint64_t keep_until);

  [[nodiscard]] bool is_open() const { return lines_.is_open(); }
  /// Appends a line. If the disk refuses it, AppendFile keeps it for later.
  void write(std::string_view object) { lines_.write_line(object); }
  [[nodiscard]] std::optional<std::string> take_message() { return lines_.take_message(); }

 private:
  storage::AppendFile lines_;
};

}  // namespace ballast::train
