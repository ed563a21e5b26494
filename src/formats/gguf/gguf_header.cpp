#include "formats/gguf/gguf_header.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/checked.hpp"
#include "formats/gguf/gguf_cursor.hpp"

namespace ballast::formats {

namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kOldestVersion = 2;
constexpr std::uint32_t kMostDimensions = 4;
constexpr std::uint64_t kMostKeyBytes = 65'535;
constexpr std::uint64_t kMostEntries = 65'536;
constexpr std::string_view kAlignmentKey = "general.alignment";
/// Of an entry and of a tensor, at least: lengths and types.
constexpr std::uint64_t kLeastEntryBytes = 8 + 4 + 1;
constexpr std::uint64_t kLeastTensorBytes = 8 + 4 + 4 + 8;

void require_magic(GgufCursor& cursor) {
  std::string magic;
  for (std::size_t i = 0; i < kMagic.size(); ++i) magic += cursor.number<char>();
  if (magic != kMagic) {
    throw data_error("byte 0: '{}' where a GGUF file has '{}'", excerpt(magic), kMagic);
  }
  const auto version = cursor.number<std::uint32_t>();
  if (version >= kOldestVersion && version <= kVersion) return;
  const bool is_reversed = (version & 0xffffU) == 0 && version != 0;
  throw data_error("byte 4: version {} of the format is not read, but {} and {} are{}", version,
                   kOldestVersion, kVersion,
                   is_reversed ? "; the file is for big-endian machines" : "");
}

std::uint64_t read_count(GgufCursor& cursor, std::string_view what, std::uint64_t most) {
  const std::uint64_t at = cursor.at();
  const auto count = cursor.number<std::uint64_t>();
  if (count > most) throw data_error("byte {}: {} {}; at most {} are read", at, count, what, most);
  return count;
}

GgufMetadata read_metadata(GgufCursor& cursor, std::uint64_t count) {
  cursor.require(count, kLeastEntryBytes, "entries of the metadata");
  GgufMetadata metadata;
  std::set<std::string, std::less<>> keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = cursor.at();
    std::string key = cursor.text(kMostKeyBytes, "a key");
    if (key.empty()) throw data_error("byte {}: a key is empty", at);
    if (!keys.insert(key).second) {
      throw data_error("byte {}: the key '{}' is there twice", at, excerpt(key));
    }
    GgufValue value =
        with_context(fmt::format("key '{}'", excerpt(key)), [&] { return cursor.value(); });
    metadata.push_back({std::move(key), std::move(value)});
  }
  return metadata;
}

std::uint64_t alignment_of(const GgufMetadata& metadata) {
  const auto found = std::ranges::find(metadata, kAlignmentKey, &GgufEntry::key);
  if (found == metadata.end()) return kGgufAlignment;
  const auto* const alignment = std::get_if<std::uint32_t>(&found->value);
  if (alignment == nullptr) {
    throw data_error("key '{}' is {}, not u32", kAlignmentKey, gguf_type_name(found->value));
  }
  if (!std::has_single_bit(*alignment)) {
    throw data_error("key '{}' = {} is no power of two", kAlignmentKey, *alignment);
  }
  return *alignment;
}

/// Sizes of a tensor whose shape and type are known. A data Error if they fit into nothing.
void complete(GgufTensor& tensor) {
  const auto numel = numel_of(tensor.shape);
  const auto most = numel ? checked_product(*numel, sizeof(float)) : std::nullopt;
  if (!most || *most > static_cast<std::uint64_t>(INT64_MAX)) {
    throw data_error("it has more elements than a file can hold");
  }
  if (tensor.columns() % layout_of(tensor.type).values != 0) {
    throw data_error("its rows have {} elements, which are no whole blocks of {} ({})",
                     tensor.columns(), layout_of(tensor.type).values, name_of(tensor.type));
  }
  tensor.numel = *numel;
  tensor.bytes = stored_bytes(tensor.type, tensor.numel);
}

BlockType read_type(GgufCursor& cursor) {
  const auto number = cursor.number<std::uint32_t>();
  if (const auto type = block_type_of(number)) return *type;
  throw data_error(
      "it is of ggml's type {}, which is not read; take a file of F32, F16, BF16, Q8_0, Q4_0, "
      "Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K",
      number);
}

GgufTensor read_tensor(GgufCursor& cursor) {
  GgufTensor tensor;
  tensor.name = cursor.text(kLongestGgufName, "the name of a tensor");
  with_context(fmt::format("tensor '{}'", excerpt(tensor.name)), [&] {
    const auto dimensions = cursor.number<std::uint32_t>();
    if (dimensions > kMostDimensions) {
      throw data_error("it has {} dimensions; at most {} are read", dimensions, kMostDimensions);
    }
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      tensor.shape.push_back(cursor.number<std::uint64_t>());
    }
    std::ranges::reverse(tensor.shape);
    tensor.type = read_type(cursor);
    tensor.begin = cursor.number<std::uint64_t>();
    complete(tensor);
  });
  return tensor;
}

std::vector<GgufTensor> read_tensors(GgufCursor& cursor, std::uint64_t count) {
  cursor.require(count, kLeastTensorBytes, "tensors");
  std::vector<GgufTensor> tensors;
  std::set<std::string, std::less<>> names;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = cursor.at();
    tensors.push_back(
        with_context(fmt::format("byte {}", at), [&] { return read_tensor(cursor); }));
    if (!names.insert(tensors.back().name).second) {
      throw data_error("byte {}: the tensor '{}' is there twice", at, excerpt(tensors.back().name));
    }
  }
  return tensors;
}

/// Each tensor begins where the one before it ends, at the next multiple of the alignment.
void require_cover(std::span<const GgufTensor> tensors, std::uint64_t alignment,
                   std::uint64_t data_bytes) {
  std::uint64_t expected = 0;  // a multiple of the alignment, below 2^63
  for (const GgufTensor& tensor : tensors) {
    if (tensor.begin != expected) {
      throw data_error("tensor '{}' begins at {} of the data; the ones before it end at {}",
                       excerpt(tensor.name), tensor.begin, expected);
    }
    if (tensor.begin > data_bytes || tensor.bytes > data_bytes - tensor.begin) {
      throw data_error("tensor '{}' has {} bytes from {} of the data on, which end at {}",
                       excerpt(tensor.name), tensor.bytes, tensor.begin, data_bytes);
    }
    const std::uint64_t end = tensor.begin + tensor.bytes;
    expected = (end + alignment - 1) / alignment * alignment;
  }
}

}  // namespace

GgufHeader read_gguf_header(const storage::ByteSource& source) {
  GgufCursor cursor{source};
  require_magic(cursor);
  const std::uint64_t tensors = read_count(cursor, "tensors", kMostGgufTensors);
  const std::uint64_t entries = read_count(cursor, "entries of the metadata", kMostEntries);
  GgufHeader header;
  header.metadata = read_metadata(cursor, entries);
  const std::uint64_t alignment = alignment_of(header.metadata);
  header.tensors = read_tensors(cursor, tensors);
  header.data_begin = (cursor.at() + alignment - 1) / alignment * alignment;
  const bool has_data = header.data_begin <= source.size();
  require_cover(header.tensors, alignment, has_data ? source.size() - header.data_begin : 0);
  return header;
}

std::string gguf_header_bytes(const GgufMetadata& metadata, std::span<const GgufTensor> tensors) {
  std::string bytes{kMagic};
  append_number(bytes, kVersion);
  append_number(bytes, std::uint64_t{tensors.size()});
  append_number(bytes, std::uint64_t{metadata.size()});
  for (const auto& [key, value] : metadata) {
    append_text(bytes, key);
    append_value(bytes, value);
  }
  for (const GgufTensor& tensor : tensors) {
    append_text(bytes, tensor.name);
    append_number(bytes, static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto i = tensor.shape.rbegin(); i != tensor.shape.rend(); ++i) append_number(bytes, *i);
    append_number(bytes, static_cast<std::uint32_t>(tensor.type));
    append_number(bytes, tensor.begin);
  }
  bytes.resize(aligned(bytes.size()));
  return bytes;
}

}  // namespace ballast::formats
