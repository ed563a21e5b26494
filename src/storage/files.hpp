#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace ballast::storage {

/// A file read front to back; all errors are data Errors that name it.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Fills `out` as far as the file goes; fewer bytes than out.size() only at its end.
  [[nodiscard]] std::size_t read(std::span<char> out);

 private:
  std::filesystem::path path_;
  int descriptor_;
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
  /// What a disk refuses may only show here.
  void close();

 private:
  [[nodiscard]] Error failure(int error) const;

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t written_ = 0;
};

/// The whole of a small text file; a data Error that names it otherwise.
[[nodiscard]] std::string read_text(const std::filesystem::path& path);

/// Replaces a file in one step: written beside it, synced, renamed, folder synced. A reader sees
/// the old or the new text, never a part.
void write_text_atomically(const std::filesystem::path& path, std::string_view text);

/// Flushes a file (or folder entry) to the disk; throws if the disk would not take it.
void sync_file(const std::filesystem::path& path);
void sync_folder(const std::filesystem::path& path);

/// XXH3-128 of a file's bytes, read in pieces.
[[nodiscard]] Hash128 hash_file(const std::filesystem::path& path);

/// Fails with a clear data Error when the file system that holds `folder` has less than `bytes`
/// free.
void require_free_space(const std::filesystem::path& folder, std::uint64_t bytes);

}  // namespace ballast::storage
