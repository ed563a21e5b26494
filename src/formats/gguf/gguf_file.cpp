#include "formats/gguf/gguf_file.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/gguf/blocks/block_codec.hpp"

namespace ballast::formats {

namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;

}  // namespace

bool is_gguf_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  constexpr std::array<std::uint8_t, 4> kMagic{'G', 'G', 'U', 'F'};
  if (std::filesystem::file_size(path, ignored) < kMagic.size() || ignored) return false;
  std::array<std::uint8_t, 4> magic{};
  storage::ByteSource{path, "a GGUF file"}.read(0, magic);
  return magic == kMagic;
}

GgufFile::GgufFile(std::filesystem::path path)
    : source_{std::make_unique<const storage::ByteSource>(std::move(path), "a GGUF file")} {
  try {
    header_ = read_gguf_header(*source_);
  } catch (const Error& error) {
    throw Error{error.code(),
                fmt::format("'{}' is no GGUF file that is read here: {}; get or write it once more",
                            source_->path().string(), error.what())};
  }
  for (std::size_t i = 0; i < header_.tensors.size(); ++i) {
    by_name_.emplace(header_.tensors[i].name, i);
  }
}

const GgufTensor& GgufFile::tensor(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return header_.tensors[found->second];
  throw data_error("'{}' has no tensor '{}': take a file that holds it", path().string(),
                   excerpt(name));
}

void GgufFile::read(std::string_view name, std::uint64_t first, std::span<float> out) const {
  const GgufTensor& tensor = this->tensor(name);
  const std::uint64_t block = layout_of(tensor.type).values;
  if (first > tensor.numel || out.size() > tensor.numel - first) {
    throw internal_error("'{}': tensor '{}' has {} elements; {} from {} on are asked for",
                         path().string(), excerpt(name), tensor.numel, out.size(), first);
  }
  if (first % block != 0 || out.size() % block != 0) {
    throw internal_error("'{}': {} elements from {} on cut blocks of {}", path().string(),
                         out.size(), first, block);
  }
  const std::uint64_t piece = kPieceBytes / layout_of(tensor.type).bytes * block;
  std::vector<std::uint8_t> bytes(
      stored_bytes(tensor.type, std::min<std::uint64_t>(piece, out.size())));
  std::uint64_t at = header_.data_begin + tensor.begin + stored_bytes(tensor.type, first);
  while (!out.empty()) {
    const auto part = out.first(std::min<std::uint64_t>(piece, out.size()));
    const auto stored = std::span{bytes}.first(stored_bytes(tensor.type, part.size()));
    with_context(fmt::format("'{}': tensor '{}'", path().string(), excerpt(name)),
                 [&] { source_->read(at, stored); });
    dequantize(tensor.type, stored, part);
    at += stored.size();
    out = out.subspan(part.size());
  }
}

ElementType stored_type(const GgufFile& file) {
  const auto all_are = [&](BlockType type) {
    return std::ranges::all_of(file.tensors(), [&](const GgufTensor& tensor) {
      return tensor.shape.size() < 2 || tensor.type == type;
    });
  };
  if (all_are(BlockType::bf16)) return ElementType::bf16;
  return all_are(BlockType::f16) ? ElementType::fp16 : ElementType::fp32;
}

}  // namespace ballast::formats
