#include "formats/safetensors/safetensors_dtype.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace ballast::formats {

namespace {

constexpr std::string_view kQuantized =
    "such weights are quantized: take the model in F32, F16 or BF16";
constexpr std::string_view kNotFloat = "weights must be F32, F16 or BF16";
constexpr std::string_view kConvert = "convert the file to F32, F16 or BF16";

// Of 8 bits and less, integers too are how quantized weights are stored.
constexpr auto kDtypes = std::to_array<SafetensorsDtype>({
    {"F32", 32, ElementType::fp32},     {"F16", 16, ElementType::fp16},
    {"BF16", 16, ElementType::bf16},    {"F64", 64, {}, kConvert},
    {"C64", 64, {}, kNotFloat},         {"BOOL", 8, {}, kNotFloat},
    {"I64", 64, {}, kNotFloat},         {"U64", 64, {}, kNotFloat},
    {"I32", 32, {}, kNotFloat},         {"U32", 32, {}, kNotFloat},
    {"I16", 16, {}, kNotFloat},         {"U16", 16, {}, kNotFloat},
    {"I8", 8, {}, kQuantized},          {"U8", 8, {}, kQuantized},
    {"F8_E5M2", 8, {}, kQuantized},     {"F8_E4M3", 8, {}, kQuantized},
    {"F8_E8M0", 8, {}, kQuantized},     {"F8_E4M3FNUZ", 8, {}, kQuantized},
    {"F8_E5M2FNUZ", 8, {}, kQuantized}, {"F6_E2M3", 6, {}, kQuantized},
    {"F6_E3M2", 6, {}, kQuantized},     {"F4", 4, {}, kQuantized},
});

}  // namespace

const SafetensorsDtype* find_dtype(std::string_view name) {
  const auto* const found = std::ranges::find(kDtypes, name, &SafetensorsDtype::name);
  return found == kDtypes.end() ? nullptr : found;
}

const SafetensorsDtype& dtype_of(ElementType type) {
  const auto* const found = std::ranges::find_if(
      kDtypes, [type](const SafetensorsDtype& dtype) { return dtype.element == type; });
  if (found == kDtypes.end()) throw internal_error("no such type of elements");
  return *found;
}

}  // namespace ballast::formats
