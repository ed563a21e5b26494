#pragma once

#include <cstddef>
#include <string_view>

namespace ballast {

enum class DType { f32, bf16, f16 };

[[nodiscard]] constexpr std::size_t size_of(DType type) { return type == DType::f32 ? 4 : 2; }

[[nodiscard]] constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::f32:
      return "fp32";
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "fp16";
  }
  return "?";
}

}  // namespace ballast
