#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/words.hpp"

namespace ballast::formats {

/// What most matrices of a GGUF file are stored as. The numbers are llama.cpp's, those of the key
/// general.file_type. Of q4_k and q5_k there are two mixtures: _m gives more bits to more tensors.
enum class GgufFileType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q8_0 = 7,
  q5_0 = 8,
  q5_1 = 9,
  q4_k_s = 14,
  q4_k_m = 15,
  q5_k_s = 16,
  q5_k_m = 17,
  q6_k = 18,
  bf16 = 32,
};

constexpr auto words_of(EnumTag<GgufFileType>) {
  return std::to_array<Word<GgufFileType>>({
      {GgufFileType::f32, "f32"},
      {GgufFileType::f16, "f16"},
      {GgufFileType::bf16, "bf16"},
      {GgufFileType::q8_0, "q8_0"},
      {GgufFileType::q6_k, "q6_k"},
      {GgufFileType::q5_k_m, "q5_k_m"},
      {GgufFileType::q5_k_s, "q5_k_s"},
      {GgufFileType::q5_1, "q5_1"},
      {GgufFileType::q5_0, "q5_0"},
      {GgufFileType::q4_k_m, "q4_k_m"},
      {GgufFileType::q4_k_s, "q4_k_s"},
      {GgufFileType::q4_1, "q4_1"},
      {GgufFileType::q4_0, "q4_0"},
  });
}

[[nodiscard]] constexpr std::string_view name_of(GgufFileType type) { return word_of(type); }

/// Whether quantizing to it looks at the importance of columns. Elements of the other types are
/// rounded one by one, or by a scale that the largest of them gives.
[[nodiscard]] constexpr bool looks_at_importance(GgufFileType type) {
  switch (type) {
    case GgufFileType::f32:
    case GgufFileType::f16:
    case GgufFileType::bf16:
    case GgufFileType::q8_0:
      return false;
    default:
      return true;
  }
}

/// The type of a number in a file; nothing for one that is not in the list above.
[[nodiscard]] constexpr std::optional<GgufFileType> file_type_of(std::uint32_t number) {
  for (const auto& row : names<GgufFileType>()) {
    if (static_cast<std::uint32_t>(row.value) == number) return row.value;
  }
  return std::nullopt;
}

}  // namespace ballast::formats
