#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "formats/gguf/blocks/block_type.hpp"

// Values to blocks and back, byte for byte as ggml's reference does (from_float_ref and
// to_float of its types; compiled without fused multiply-add). Whole blocks, no state.
namespace ballast::formats {

/// The values of stored blocks. bytes: [stored_bytes(type, values.size())]; any bytes are taken, a
/// scale that is no finite number gives values that are none.
void dequantize(BlockType type, std::span<const std::uint8_t> bytes, std::span<float> values);

/// The reverse: the blocks whose values are near `values`, by the search of each type. values:
/// whole blocks; bytes: [stored_bytes(type, values.size())]. Returns the place of the first value
/// that no block of this type can hold, or nothing: one that is NaN or infinite, or the largest of
/// the first block whose scale would not fit into fp16. Then nothing in `bytes` is of use.
[[nodiscard]] std::optional<std::size_t> quantize(BlockType type, std::span<const float> values,
                                                  std::span<std::uint8_t> bytes);

/// The same, where errors in some columns matter more than in others: importance[c] is a weight of
/// the squared error in column c, such as the mean square of the input that meets it (llama.cpp's
/// importance matrix). values: whole rows of importance.size() values; of the types in _k, which
/// look at nothing beyond a block, a row may come in pieces of whole blocks. Types f32, f16, bf16
/// and q8_0 do not look at importance. Values of which all have importance 0 may become 0.
/// Throws a data error that names the column if an importance is negative, NaN or above 10^18.
[[nodiscard]] std::optional<std::size_t> quantize_weighted(BlockType type,
                                                           std::span<const float> values,
                                                           std::span<const float> importance,
                                                           std::span<std::uint8_t> bytes);

}  // namespace ballast::formats
