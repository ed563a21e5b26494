#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace ballast::storage {

/// Creates a file of so many bytes: `head`, and room for the rest, which reads as zeros. Throws a
/// data Error that names it.
void create_range_file(const std::filesystem::path& path, std::string_view head,
                       std::uint64_t bytes);

/// A file of known size whose bytes are written in ranges, in any order. Several processes may do
/// so at once, if their ranges do not overlap. All errors are data Errors that name the file, with
/// the byte where one cannot be written.
class RangeFile {
 public:
  /// Made by create_range_file: refused if it has not this many bytes.
  RangeFile(std::filesystem::path path, std::uint64_t bytes);
  ~RangeFile();
  RangeFile(RangeFile&& other) noexcept;
  RangeFile& operator=(RangeFile&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Bytes [at, at + bytes.size()), which must be in the file.
  void write(std::uint64_t at, std::span<const std::uint8_t> bytes);
  /// What was written is on the disk when this returns; nothing more is written.
  void finish();

 private:
  std::filesystem::path path_;
  std::uint64_t bytes_;
  int descriptor_ = -1;
};

}  // namespace ballast::storage
