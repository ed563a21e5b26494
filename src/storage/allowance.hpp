#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>

namespace ballast::storage {

/// What a log may come to in memory: no more than its file has bytes, and some room for small ones.
/// Logs that a training writes stay below it; a line of another's making may stand for much more
/// than its length.
class Allowance {
 public:
  explicit Allowance(const std::filesystem::path& file) {
    std::error_code unreadable;  // reading it will tell
    const auto bytes = std::filesystem::file_size(file, unreadable);
    if (!unreadable) left_ += bytes;
  }

  /// Whether there is room for so many more bytes; takes it if there is.
  [[nodiscard]] bool take(std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::uint64_t left_ = std::uint64_t{32} << 20;
};

}  // namespace ballast::storage
