#pragma once

#include <array>
#include <cstdint>

#include "base/words.hpp"
#include "formats/gguf/blocks/block_type.hpp"

namespace ballast::formats {

/// general.file_type
enum class FileType : std::uint32_t { f32 = 0, f16 = 1, q8_0 = 7, bf16 = 32 };

constexpr auto words_of(EnumTag<FileType>) {
  return std::to_array<Word<FileType>>({{FileType::f32, "f32"},
                                        {FileType::f16, "f16"},
                                        {FileType::bf16, "bf16"},
                                        {FileType::q8_0, "q8_0"}});
}

}  // namespace ballast::formats
