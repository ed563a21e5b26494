#include "storage/h5_header.hpp"

#include <cstddef>
#include <fstream>
#include <span>
#include <vector>

#include "base/error.hpp"

namespace ballast::storage {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kPrefixBytes = 16;
constexpr std::size_t kMessagePrefixBytes = 8;
constexpr std::size_t kMostBlocks = 64;
constexpr std::uint64_t kLargestBlock = std::uint64_t{1} << 20;
constexpr std::uint8_t kHeaderVersion = 1;
constexpr std::uint8_t kLayoutVersion = 3;
constexpr std::uint8_t kChunked = 2;

/// Kinds of messages, of which a header consists.
constexpr std::uint64_t kExternalFiles = 0x07;
constexpr std::uint64_t kLayout = 0x08;
constexpr std::uint64_t kContinuation = 0x10;

Error damaged() { return data_error("its header is damaged"); }

/// The number of `size` bytes at `at`, the lowest first.
std::uint64_t number(Bytes bytes, std::size_t at, std::size_t size) {
  if (at + size > bytes.size()) throw damaged();
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes[at + i]} << (8 * i);
  return value;
}

void require_sound_layout(Bytes layout) {
  const std::uint64_t version = number(layout, 0, 1);
  if (version != kLayoutVersion) {
    throw data_error("its layout is of HDF5's version {}; version {} is read", version,
                     kLayoutVersion);
  }
  if (number(layout, 1, 1) != kChunked) return;
  constexpr std::size_t kSizes = 11;  // after version, class, dimensions and an address
  const std::uint64_t sizes = number(layout, 2, 1);  // one more than there are dimensions
  for (std::size_t i = 0; i < sizes; ++i) {
    if (number(layout, kSizes + 4 * i, 4) == 0) throw data_error("its chunks have no size");
  }
}

/// Walks a header, block by block.
class HeaderWalk {
 public:
  HeaderWalk(const std::filesystem::path& path, std::uint64_t file_bytes)
      : stream_{path, std::ios::binary}, file_bytes_{file_bytes} {}

  void run(std::uint64_t address) {
    const auto prefix = read(address, kPrefixBytes);
    if (const auto version = number(prefix, 0, 1); version != kHeaderVersion) {
      throw data_error("its header is not of HDF5's version {}, which is read", kHeaderVersion);
    }
    blocks_.push_back({address + kPrefixBytes, number(prefix, 8, 4)});
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const Block block = blocks_[i];
      visit(read(block.address, block.size));
    }
  }

 private:
  struct Block {
    std::uint64_t address;
    std::uint64_t size;
  };

  std::vector<std::uint8_t> read(std::uint64_t address, std::uint64_t size) {
    if (size > kLargestBlock || address > file_bytes_ || size > file_bytes_ - address) {
      throw damaged();
    }
    std::vector<std::uint8_t> bytes(size);
    stream_.seekg(static_cast<std::streamoff>(address));
    stream_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (!stream_) throw damaged();
    return bytes;
  }

  void visit(Bytes block) {
    for (std::size_t at = 0; at + kMessagePrefixBytes <= block.size();) {
      const std::uint64_t kind = number(block, at, 2);
      const std::uint64_t size = number(block, at + 2, 2);
      at += kMessagePrefixBytes;
      if (size > block.size() - at) throw damaged();
      visit_message(kind, block.subspan(at, size));
      at += size;
    }
  }

  void visit_message(std::uint64_t kind, Bytes content) {
    if (kind == kLayout) require_sound_layout(content);
    if (kind == kExternalFiles) throw data_error("it keeps its elements in other files: refused");
    if (kind != kContinuation) return;
    if (blocks_.size() == kMostBlocks) throw damaged();
    blocks_.push_back({number(content, 0, 8), number(content, 8, 8)});
  }

  std::ifstream stream_;
  std::uint64_t file_bytes_;
  std::vector<Block> blocks_;
};

}  // namespace

void require_sound_header(const std::filesystem::path& path, std::uint64_t address,
                          std::uint64_t file_bytes) {
  HeaderWalk{path, file_bytes}.run(address);
}

}  // namespace ballast::storage
