#include "formats/gguf/blocks/block_codec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/error.hpp"
#include "formats/float_codec.hpp"
#include "formats/gguf/blocks/affine_super_blocks.hpp"
#include "formats/gguf/blocks/scaled_super_blocks.hpp"
#include "formats/gguf/blocks/small_block.hpp"
#include "formats/gguf/blocks/small_blocks.hpp"
#include "formats/gguf/blocks/weighted_small_blocks.hpp"

namespace ballast::formats {

static_assert(std::endian::native == std::endian::little,
              "numbers in blocks are copied as they are");

namespace {

/// Every value that a block of codes can hold is smaller: at most 65,504 · 128 · 32 in q6_k.
constexpr float kBeyondBlocks = 0x1p30f;

/// Sums of products of larger ones would not fit into fp32, and the search would find nothing.
constexpr float kLargestImportance = 1e18f;

/// What to do with whole blocks of one type of codes.
struct BlockCoder {
  void (*dequantize)(const std::uint8_t* bytes, std::size_t blocks, float* values);
  void (*quantize)(const float* values, std::size_t blocks, std::uint8_t* bytes);
  /// One row; null where importance makes no difference.
  void (*quantize_row)(const float* values, const float* importance, std::size_t blocks,
                       std::uint8_t* bytes);
  std::array<std::size_t, 2> scales;  ///< where the fp16 numbers of a block are; may be the same
};

/// Nothing for types of plain elements.
std::optional<BlockCoder> coder_of(BlockType type) {
  switch (type) {
    case BlockType::q4_0:
      return BlockCoder{dequantize_q4_0, quantize_q4_0, quantize_row_q4_0, {0, 0}};
    case BlockType::q4_1:
      return BlockCoder{dequantize_q4_1, quantize_q4_1, quantize_row_q4_1, {0, 2}};
    case BlockType::q5_0:
      return BlockCoder{dequantize_q5_0, quantize_q5_0, quantize_row_q5_0, {0, 0}};
    case BlockType::q5_1:
      return BlockCoder{dequantize_q5_1, quantize_q5_1, quantize_row_q5_1, {0, 2}};
    case BlockType::q8_0:
      return BlockCoder{dequantize_q8_0, quantize_q8_0, nullptr, {0, 0}};
    case BlockType::q4_k:
      return BlockCoder{dequantize_q4_k, quantize_q4_k, quantize_q4_k, {0, 2}};
    case BlockType::q5_k:
      return BlockCoder{dequantize_q5_k, quantize_q5_k, quantize_q5_k, {0, 2}};
    case BlockType::q6_k:
      return BlockCoder{dequantize_q6_k, quantize_q6_k, quantize_q6_k, {208, 208}};
    case BlockType::f32:
    case BlockType::f16:
    case BlockType::bf16:
      return std::nullopt;
  }
  throw internal_error("no such type of blocks");
}

ElementType element_type_of(BlockType type) {
  if (type == BlockType::f16) return ElementType::fp16;
  return type == BlockType::bf16 ? ElementType::bf16 : ElementType::fp32;
}

void require_whole_blocks(BlockType type, std::size_t values, std::size_t bytes) {
  if (values % layout_of(type).values == 0 && stored_bytes(type, values) == bytes) return;
  throw internal_error("{} values of type {} are no {} bytes", values, name_of(type), bytes);
}

/// Looks at all values, so that it can look at several at a time.
bool all_below(std::span<const float> values, float limit) {
  int beyond = 0;
  for (const float x : values) beyond |= std::fabs(x) < limit ? 0 : 1;
  return beyond == 0;
}

/// The place of the first value that is NaN or not below `limit` in magnitude.
std::optional<std::size_t> first_beyond(std::span<const float> values, float limit) {
  constexpr std::size_t kPiece = 1024;
  for (std::size_t first = 0; first < values.size(); first += kPiece) {
    const auto piece = values.subspan(first, std::min(kPiece, values.size() - first));
    if (all_below(piece, limit)) continue;
    const auto found = std::find_if(piece.begin(), piece.end(),
                                    [limit](float x) { return !(std::fabs(x) < limit); });
    return first + static_cast<std::size_t>(found - piece.begin());
  }
  return std::nullopt;
}

/// The largest value of the first block that has a scale which is no finite number.
std::optional<std::size_t> first_overflow(BlockType type, const BlockCoder& coder,
                                          std::span<const float> values,
                                          std::span<const std::uint8_t> bytes) {
  const BlockLayout layout = layout_of(type);
  for (std::size_t block = 0; block < values.size() / layout.values; ++block) {
    const std::uint8_t* at = bytes.data() + block * layout.bytes;
    if (std::all_of(coder.scales.begin(), coder.scales.end(),
                    [at](std::size_t place) { return std::isfinite(get_fp16(at + place)); })) {
      continue;
    }
    const auto own = values.subspan(block * layout.values, layout.values);
    const auto largest = std::max_element(
        own.begin(), own.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    return block * layout.values + static_cast<std::size_t>(largest - own.begin());
  }
  return std::nullopt;
}

std::optional<std::size_t> encode_elements(BlockType type, std::span<const float> values,
                                           std::span<std::uint8_t> bytes) {
  if (const auto beyond = first_beyond(values, std::numeric_limits<float>::infinity())) {
    return beyond;
  }
  return encode(element_type_of(type), values, bytes);
}

void require_importance(std::span<const float> importance) {
  for (std::size_t column = 0; column < importance.size(); ++column) {
    if (importance[column] >= 0.0f && importance[column] <= kLargestImportance) continue;
    throw data_error(
        "the importance of column {} is {}; it must be from 0 to {}: make the importance matrix "
        "anew",
        column, importance[column], kLargestImportance);
  }
}

}  // namespace

void dequantize(BlockType type, std::span<const std::uint8_t> bytes, std::span<float> values) {
  require_whole_blocks(type, values.size(), bytes.size());
  const auto coder = coder_of(type);
  if (!coder) return decode(element_type_of(type), bytes, values);
  coder->dequantize(bytes.data(), values.size() / layout_of(type).values, values.data());
}

std::optional<std::size_t> quantize(BlockType type, std::span<const float> values,
                                    std::span<std::uint8_t> bytes) {
  require_whole_blocks(type, values.size(), bytes.size());
  const auto coder = coder_of(type);
  if (!coder) return encode_elements(type, values, bytes);
  if (const auto beyond = first_beyond(values, kBeyondBlocks)) return beyond;
  coder->quantize(values.data(), values.size() / layout_of(type).values, bytes.data());
  return first_overflow(type, *coder, values, bytes);
}

std::optional<std::size_t> quantize_weighted(BlockType type, std::span<const float> values,
                                             std::span<const float> importance,
                                             std::span<std::uint8_t> bytes) {
  require_importance(importance);
  const auto coder = coder_of(type);
  if (!coder || coder->quantize_row == nullptr) return quantize(type, values, bytes);
  const BlockLayout layout = layout_of(type);
  const std::size_t columns = importance.size();
  require_whole_blocks(type, values.size(), bytes.size());
  if (columns == 0 || columns % layout.values != 0 || values.size() % columns != 0) {
    throw internal_error("{} values of type {} are no whole rows of {}", values.size(),
                         name_of(type), columns);
  }
  if (const auto beyond = first_beyond(values, kBeyondBlocks)) return beyond;
  const std::size_t blocks = columns / layout.values;
  for (std::size_t row = 0; row < values.size() / columns; ++row) {
    coder->quantize_row(values.data() + row * columns, importance.data(), blocks,
                        bytes.data() + row * blocks * layout.bytes);
  }
  return first_overflow(type, *coder, values, bytes);
}

}  // namespace ballast::formats
