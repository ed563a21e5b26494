#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace ballast::storage::h5 {

/// A regular file of which ranges of bytes are read, in any order and by any number of threads at
/// once. It must not become shorter while it is open.
class ByteSource {
 public:
  /// A data Error that names the file where it is missing, empty, a folder or no file, or where it
  /// cannot be opened.
  explicit ByteSource(std::filesystem::path path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Bytes of the file when it was opened.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  [[nodiscard]] bool contains(std::uint64_t at, std::uint64_t bytes) const {
    return at <= size_ && bytes <= size_ - at;
  }

  /// Bytes [at, at + out.size()). A data Error where they are not all in the file, or where the
  /// disk does not give them; it names the range, not the file.
  void read(std::uint64_t at, std::span<std::uint8_t> out) const;
  /// The same into room of its own, made only for what is in the file.
  [[nodiscard]] std::vector<std::uint8_t> read(std::uint64_t at, std::uint64_t bytes) const;

 private:
  void require_inside(std::uint64_t at, std::uint64_t bytes) const;

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace ballast::storage::h5
