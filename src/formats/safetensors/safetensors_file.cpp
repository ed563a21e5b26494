#include "formats/safetensors/safetensors_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/float_codec.hpp"

namespace ballast::formats {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::string_view kLfsPointer = "version https://git-lfs";

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A clone without Git LFS has a few lines of text in place of each large file.
void refuse_lfs_pointer(const storage::ByteSource& source) {
  if (!source.contains(0, kLfsPointer.size())) return;
  if (as_text(source.read(0, kLfsPointer.size())) != kLfsPointer) return;
  throw data_error("it stands for a file that Git LFS keeps: get that with `git lfs pull`");
}

/// Bytes of the header, none of which is read yet.
std::uint64_t header_bytes(const storage::ByteSource& source) {
  std::array<std::uint8_t, kSafetensorsLengthBytes> field{};
  source.read(0, field);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < field.size(); ++i) bytes |= std::uint64_t{field[i]} << (8 * i);
  if (bytes > kMostHeaderBytes) {
    throw data_error("it claims a header of {} bytes; at most {} are read", bytes,
                     kMostHeaderBytes);
  }
  if (!source.contains(field.size(), bytes)) {
    throw data_error("it claims a header of {} bytes at byte {}, but has {} bytes in all", bytes,
                     field.size(), source.size());
  }
  return bytes;
}

}  // namespace

SafetensorsFile::SafetensorsFile(std::filesystem::path path)
    : source_{std::make_unique<const storage::ByteSource>(std::move(path), "a safetensors file")} {
  const std::string name = source_->path().string();
  with_context(fmt::format("'{}'", name), [&] { refuse_lfs_pointer(*source_); });
  try {
    const std::uint64_t bytes = header_bytes(*source_);
    data_begin_ = kSafetensorsLengthBytes + bytes;
    const auto header = source_->read(kSafetensorsLengthBytes, bytes);
    tensors_ = parse_safetensors_header(as_text(header), source_->size() - data_begin_);
  } catch (const Error& error) {
    throw Error{error.code(),
                fmt::format("'{}' is no whole safetensors file: {}; get or write it once more",
                            name, error.what())};
  }
  for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_.emplace(tensors_[i].name, i);
}

const SafetensorsTensor& SafetensorsFile::tensor(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return tensors_[found->second];
  throw data_error("'{}' has no tensor '{}': take a file that holds it", path().string(),
                   excerpt(name));
}

void SafetensorsFile::require_readable(std::string_view name) const {
  const SafetensorsDtype& dtype = *tensor(name).dtype;
  if (dtype.element) return;
  throw data_error("'{}': tensor '{}' is {}, which is not read; {}", path().string(), excerpt(name),
                   dtype.name, dtype.instead);
}

void SafetensorsFile::read(std::string_view name, std::uint64_t first, std::span<float> out) const {
  require_readable(name);
  const SafetensorsTensor& tensor = this->tensor(name);
  if (first > tensor.numel || out.size() > tensor.numel - first) {
    throw internal_error("'{}': tensor '{}' has {} elements; {} from {} on are asked for",
                         path().string(), excerpt(name), tensor.numel, out.size(), first);
  }
  const ElementType type = *tensor.dtype->element;
  const std::size_t piece = kPieceBytes / size_of(type);
  std::vector<std::uint8_t> bytes(std::min(piece, out.size()) * size_of(type));
  try {
    std::uint64_t at = data_begin_ + tensor.begin + first * size_of(type);
    while (!out.empty()) {
      const auto part = out.first(std::min(piece, out.size()));
      const auto stored = std::span{bytes}.first(part.size() * size_of(type));
      source_->read(at, stored);
      decode(type, stored, part);
      at += stored.size();
      out = out.subspan(part.size());
    }
  } catch (const Error& error) {
    throw Error{error.code(), fmt::format("'{}': tensor '{}': {}; try again with a whole file",
                                          path().string(), excerpt(name), error.what())};
  }
}

}  // namespace ballast::formats
