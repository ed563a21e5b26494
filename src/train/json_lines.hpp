#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace ballast::train {

/// A file of one JSON object a line, each with its "step": a log that a resumed run continues where
/// its checkpoint was taken.
class JsonLines {
 public:
  /// Writes nothing; for ranks that keep no log.
  JsonLines() = default;
  /// Opens `file`. Records after step `keep_until` are cut off, and a half-written last line; 0
  /// begins anew. Data Errors name the file.
  JsonLines(const std::filesystem::path& file, std::uint64_t keep_until);

  [[nodiscard]] bool is_open() const { return stream_.is_open(); }
  /// A data Error if it cannot be written.
  void write(std::string_view object);

 private:
  std::filesystem::path file_;
  std::ofstream stream_;
};

}  // namespace ballast::train
