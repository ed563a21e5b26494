#include "formats/file_sample.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace ballast::formats {

void sample_file(const storage::ByteSource& source, std::uint64_t data_begin, Hasher& hasher) {
  constexpr std::uint64_t kPieces = 64;
  constexpr std::uint64_t kBytes = 4096;
  const auto add = [&](std::uint64_t begin, std::uint64_t bytes) {
    const std::vector<std::uint8_t> piece = source.read(begin, bytes);
    hasher.update(std::as_bytes(std::span{piece}));
  };
  const std::uint64_t size = source.size();
  hasher.update(std::as_bytes(std::span{&size, 1}));
  data_begin = std::min(data_begin, size);
  add(0, data_begin);
  const std::uint64_t data = size - data_begin;
  const std::uint64_t bytes = std::min(kBytes, data);
  for (std::uint64_t piece = 0; piece < kPieces && bytes > 0; ++piece) {
    add(data_begin + (data - bytes) * piece / (kPieces - 1), bytes);
  }
}

}  // namespace ballast::formats
