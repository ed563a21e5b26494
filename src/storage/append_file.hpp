#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::storage {

/// A file that gets a line now and then while a job runs, on a disk that may fill up, fail or
/// disappear. A line that cannot be written does not end the job: it is kept in memory (up to
/// kMostKept bytes; then the oldest lines are dropped and counted) and written with the next one,
/// to a new file if the old one was moved away.
class AppendFile {
 public:
  static constexpr std::size_t kMostKept = std::size_t{4} << 20;

  /// Writes nothing.
  AppendFile() = default;
  /// Opens the file or creates it; throws a data Error that names it if that fails.
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  [[nodiscard]] bool is_open() const { return !path_.empty(); }

  /// Appends `line` and an end of line, after those that are still kept.
  void write_line(std::string_view line);

  /// A warning when lines can no longer be written, with the reason, and one when they are again,
  /// with the number of lost lines. Nothing in between.
  [[nodiscard]] std::optional<std::string> take_message();

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
  std::size_t lost_ = 0;         ///< lines that were dropped
  bool has_begun_line_ = false;  ///< a part of the first kept line is in the file
  int error_ = 0;                ///< why the last attempt failed; 0: it did not
  int told_ = 0;                 ///< the error reported last; 0: none, or its end was reported
};

}  // namespace ballast::storage
