#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/gguf_value.hpp"
#include "support/bytes.hpp"

namespace ballast::test {

/// A length of 8 bytes, and the bytes.
inline std::string gguf_text(std::string_view text) { return field(text.size(), 8).append(text); }

/// A key with a u32.
inline std::string gguf_u32(std::string_view key, std::uint32_t value) {
  return gguf_text(key) + field(4, 4) + field(value, 4);
}

/// A key with a string.
inline std::string gguf_string(std::string_view key, std::string_view value) {
  return gguf_text(key) + field(8, 4) + gguf_text(value);
}

/// An entry of the list of tensors; the fastest dimension comes first.
inline std::string gguf_tensor(std::string_view name, const std::vector<std::uint64_t>& dimensions,
                               std::uint32_t type, std::uint64_t begin) {
  std::string bytes = gguf_text(name) + field(dimensions.size(), 4);
  for (const auto dimension : dimensions) bytes += field(dimension, 8);
  return bytes + field(type, 4) + field(begin, 8);
}

/// A file of these entries, padded to where data begin, and the data.
struct MadeUpGguf {
  std::vector<std::string> metadata{};
  std::vector<std::string> tensors{};
  std::string data{};
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::size_t alignment = 32;

  [[nodiscard]] std::string bytes() const {
    std::string all =
        magic + field(version, 4) + field(tensors.size(), 8) + field(metadata.size(), 8);
    for (const auto& entry : metadata) all += entry;
    for (const auto& tensor : tensors) all += tensor;
    all.resize((all.size() + alignment - 1) / alignment * alignment);
    return all + data;
  }
};

/// A file of a tokenizer alone.
inline MadeUpGguf tokenizer_gguf(const formats::GgufMetadata& keys) {
  MadeUpGguf file;
  for (const formats::GgufEntry& entry : keys) {
    std::string bytes = gguf_text(entry.key);
    formats::append_value(bytes, entry.value);
    file.metadata.push_back(std::move(bytes));
  }
  return file;
}

}  // namespace ballast::test
