#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/gguf/blocks/block_type.hpp"
#include "formats/gguf/gguf_value.hpp"
#include "storage/byte_source.hpp"

namespace ballast::formats {

/// Where data begin, and each tensor of them, unless general.alignment says something else.
inline constexpr std::uint64_t kGgufAlignment = 32;
/// As ggml has it: names are shorter than 64 bytes, with the zero behind them.
inline constexpr std::size_t kLongestGgufName = 63;
inline constexpr std::size_t kMostGgufTensors = 32'768;

/// A tensor of a file. It is dense and row-major; `shape` is in our order, rows first, though files
/// name the columns first.
struct GgufTensor {
  std::string name;
  BlockType type = BlockType::f32;
  std::vector<std::uint64_t> shape;  ///< none: one element
  std::uint64_t numel = 0;
  std::uint64_t begin = 0;  ///< its first byte, counted from the begin of the data
  std::uint64_t bytes = 0;

  /// Elements that lie side by side in whole blocks.
  [[nodiscard]] std::uint64_t columns() const { return shape.empty() ? 1 : shape.back(); }
};

/// All of a GGUF file but its data.
struct GgufHeader {
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;  ///< in the order of the file, one behind the other
  std::uint64_t data_begin = 0;     ///< byte of the file
};

/// Reads a header of version 2 or 3 (they differ in nothing that little-endian machines see).
/// Throws a data Error that names the byte, or the key or the tensor, if it is not what the format
/// demands; if the tensors do not lie one behind the other, each at the next multiple of the
/// alignment; if one of them is not within the file; or if one is of a type that is not read.
/// Stricter than llama.cpp in this: at most 100 MB of header and 32,768 tensors.
[[nodiscard]] GgufHeader read_gguf_header(const storage::ByteSource& source);

/// The smallest multiple of kGgufAlignment that is not below `bytes`.
[[nodiscard]] constexpr std::uint64_t aligned(std::uint64_t bytes) {
  return (bytes + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment;
}

/// The bytes of a header of version 3, up to the data. Tensors lie in their order at multiples of
/// kGgufAlignment; `begin` is taken from them as it is.
[[nodiscard]] std::string gguf_header_bytes(const GgufMetadata& metadata,
                                            std::span<const GgufTensor> tensors);

}  // namespace ballast::formats
