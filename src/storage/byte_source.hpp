#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace ballast::storage {

/// A regular file whose bytes are read in ranges, in any order and by any number of threads at
/// once. It must not become shorter while it is open.
class ByteSource {
 public:
  /// Throws a data Error that names the file if it is missing, empty or not a regular file, or if
  /// it cannot be opened. `kind`: what it should be, in that message ("an HDF5 file").
  ByteSource(std::filesystem::path path, std::string_view kind);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Bytes of the file when it was opened.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  [[nodiscard]] bool contains(std::uint64_t at, std::uint64_t bytes) const {
    return at <= size_ && bytes <= size_ - at;
  }

  /// Bytes [at, at + out.size()). Throws a data Error if they are not all in the file, or if they
  /// cannot be read; it names the range, not the file.
  void read(std::uint64_t at, std::span<std::uint8_t> out) const;
  /// The same, into new memory, which is only allocated for bytes that are in the file.
  [[nodiscard]] std::vector<std::uint8_t> read(std::uint64_t at, std::uint64_t bytes) const;

 private:
  void require_inside(std::uint64_t at, std::uint64_t bytes) const;

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace ballast::storage
