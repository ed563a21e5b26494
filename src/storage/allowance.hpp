#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>

namespace ballast::storage {

/// The memory that a log may take: as many bytes as its file has, and a minimum for small files.
/// Logs that a training writes stay below it; a line from elsewhere may need much more memory than
/// its length.
class Allowance {
 public:
  explicit Allowance(const std::filesystem::path& file) {
    std::error_code unreadable;  // reading it will tell
    const auto bytes = std::filesystem::file_size(file, unreadable);
    if (!unreadable) left_ += bytes;
  }

  /// Takes this many more bytes; false, and takes none, if they are not left.
  [[nodiscard]] bool take(std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::uint64_t left_ = std::uint64_t{32} << 20;
};

}  // namespace ballast::storage
