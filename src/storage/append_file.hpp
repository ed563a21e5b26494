#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::storage {

/// A file that gets a line now and then for as long as a job lasts, on a disk that may fill up,
/// fail or go away in the meantime. A line that cannot be written does not end the job: it is kept
/// in memory (kMostKept bytes; then the oldest are given up and counted) and tried again with the
/// next one, in a new file where somebody has moved the old one away.
class AppendFile {
 public:
  static constexpr std::size_t kMostKept = std::size_t{4} << 20;

  /// Writes nothing.
  AppendFile() = default;
  /// Opens the file or creates it; a data Error names it if that cannot be.
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  [[nodiscard]] bool is_open() const { return !path_.empty(); }

  /// Appends `line` and an end of line, after those that are still kept.
  void write_line(std::string_view line);

  /// Told once each: that lines can no longer be written, and why; that they are again, and how
  /// many were lost. Nothing in between.
  [[nodiscard]] std::optional<std::string> take_news();

 private:
  void flush();
  [[nodiscard]] bool is_in_place() const;
  void reopen();
  void give_up_oldest();
  void fail(int error);
  void close();

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::string kept_;             ///< not yet written
  std::size_t lost_ = 0;         ///< lines given up
  bool has_begun_line_ = false;  ///< of the first kept line a part is in the file
  int error_ = 0;                ///< why the last attempt failed; 0: it did not
  int told_ = 0;                 ///< the error that was told last; 0: none, or its end was told
};

}  // namespace ballast::storage
