#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>

namespace ballast::fuzz {

/// A folder in memory for formats that are read from files; gone when the process ends well.
class Scratch {
 public:
  Scratch() {
    std::string name = "/dev/shm/ballast-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no folder in /dev/shm"};
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Replaces a file of the folder and returns its path.
  std::filesystem::path write(const char* name, std::span<const std::uint8_t> bytes) const {
    const auto file = path_ / name;
    std::ofstream{file, std::ios::binary | std::ios::trunc}.write(
        reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace ballast::fuzz
