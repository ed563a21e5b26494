#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace ballast::storage {

/// The kinds of files that are accepted. A pipe or a terminal may keep its reader waiting for ever
/// and a device may never end, so both are read only if the user asks for text from them.
enum class Inputs { regular_files, any };

/// A file read front to back; all errors are data Errors that name it.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path, Inputs inputs = Inputs::regular_files);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Fills `out` as far as the file goes; fewer bytes than out.size() only at its end.
  [[nodiscard]] std::size_t read(std::span<char> out);
  /// Bytes of a regular file; 0 of anything else.
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

/// A new file written front to back; all errors are data Errors that name it and say how much of it
/// was written.
class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const char> bytes);
  /// Some errors of a disk show only here.
  void close();

 private:
  [[nodiscard]] Error failure(int error) const;

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t written_ = 0;
};

/// The most bytes of a text that is read whole.
inline constexpr std::uint64_t kLargestText = std::uint64_t{16} << 20;

/// The whole of a small text file. Throws a data Error that names it if it cannot be read or is
/// larger than `most` bytes.
[[nodiscard]] std::string read_text(const std::filesystem::path& path,
                                    std::uint64_t most = kLargestText);

/// How a line ends: a line without an end may still be being written.
enum class LineEnd { newline, file };

/// Calls `visit` with each line of a file of any size, without its end. Throws a data Error that
/// names the file, and the line if one is longer than 16 MiB.
void for_each_line(const std::filesystem::path& path,
                   const std::function<void(std::string_view line, LineEnd end)>& visit);

/// Replaces a file in one step: written beside it, synced, renamed, folder synced. A reader sees
/// the old or the new text, never a part.
void write_text_atomically(const std::filesystem::path& path, std::string_view text);

/// Deletes files that processes left beside it when they died in write_text_atomically(path, ...);
/// no process may be writing the file.
void remove_unfinished_writes(const std::filesystem::path& path);

/// Flushes a file (or folder entry) to the disk; throws a data Error if that fails.
void sync_file(const std::filesystem::path& path);
void sync_folder(const std::filesystem::path& path);

/// XXH3-128 of a file's bytes.
[[nodiscard]] Hash128 hash_file(const std::filesystem::path& path);

/// The same, read a part at a time, so that its caller can do something in between.
class FileHasher {
 public:
  void open(const std::filesystem::path& path);
  /// Reads at most `most` more bytes; none after the end.
  void advance(std::uint64_t most);
  [[nodiscard]] bool is_done() const { return !file_.has_value(); }
  /// Of what was read so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] Hash128 digest() const { return hasher_.digest(); }

 private:
  std::optional<InputFile> file_;  ///< until its end
  Hasher hasher_;
  std::uint64_t bytes_ = 0;
};

/// Of the file system that holds `folder`. Throws a data Error that names it if that is unknown.
[[nodiscard]] std::uint64_t free_space(const std::filesystem::path& folder);

/// Throws a data Error if the file system that holds `folder` has less than `bytes`
/// free.
void require_free_space(const std::filesystem::path& folder, std::uint64_t bytes);

}  // namespace ballast::storage
