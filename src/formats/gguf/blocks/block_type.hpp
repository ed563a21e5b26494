#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/words.hpp"

namespace ballast::formats {

/// What the values of a tensor in a GGUF file are stored as. The numbers are ggml's own, those that
/// stand in the file. Types whose name ends in _k hold super-blocks: a scale and perhaps a minimum
/// for each sub-block of 16 or 32 values, which are themselves numbers of 6 or 8 bits.
enum class BlockType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  bf16 = 30,
};

constexpr auto words_of(EnumTag<BlockType>) {
  return std::to_array<Word<BlockType>>({
      {BlockType::f32, "f32"},
      {BlockType::f16, "f16"},
      {BlockType::bf16, "bf16"},
      {BlockType::q8_0, "q8_0"},
      {BlockType::q6_k, "q6_k"},
      {BlockType::q5_k, "q5_k"},
      {BlockType::q5_1, "q5_1"},
      {BlockType::q5_0, "q5_0"},
      {BlockType::q4_k, "q4_k"},
      {BlockType::q4_1, "q4_1"},
      {BlockType::q4_0, "q4_0"},
  });
}

/// A block: the values of a row that are stored together. A row is whole blocks.
struct BlockLayout {
  std::size_t values;
  std::size_t bytes;
};

[[nodiscard]] constexpr BlockLayout layout_of(BlockType type) {
  switch (type) {
    case BlockType::f32:
      return {1, 4};
    case BlockType::f16:
    case BlockType::bf16:
      return {1, 2};
    case BlockType::q4_0:
      return {32, 18};
    case BlockType::q4_1:
      return {32, 20};
    case BlockType::q5_0:
      return {32, 22};
    case BlockType::q5_1:
      return {32, 24};
    case BlockType::q8_0:
      return {32, 34};
    case BlockType::q4_k:
      return {256, 144};
    case BlockType::q5_k:
      return {256, 176};
    case BlockType::q6_k:
      return {256, 210};
  }
  return {1, 0};
}

/// The type of a number in a file; nothing for one that ggml does not have or this program does not
/// read.
[[nodiscard]] constexpr std::optional<BlockType> block_type_of(std::uint32_t number) {
  for (const auto& row : names<BlockType>()) {
    if (static_cast<std::uint32_t>(row.value) == number) return row.value;
  }
  return std::nullopt;
}

[[nodiscard]] constexpr std::string_view name_of(BlockType type) { return word_of(type); }

/// Stored bytes of `values` values, which are whole blocks. Fits in 64 bits where 4 · values does.
[[nodiscard]] constexpr std::uint64_t stored_bytes(BlockType type, std::uint64_t values) {
  return values / layout_of(type).values * layout_of(type).bytes;
}

}  // namespace ballast::formats
