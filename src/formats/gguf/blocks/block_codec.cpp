#include "formats/gguf/blocks/block_codec.hpp"

#include "base/error.hpp"
#include "formats/float_codec.hpp"

namespace ballast::formats {

namespace {

ElementType element_of(BlockType type) {
  switch (type) {
    case BlockType::f32:
      return ElementType::fp32;
    case BlockType::f16:
      return ElementType::fp16;
    case BlockType::bf16:
      return ElementType::bf16;
    default:
      throw internal_error("no such block yet: {}", name_of(type));
  }
}

}  // namespace

void dequantize(BlockType type, std::span<const std::uint8_t> bytes, std::span<float> values) {
  decode(element_of(type), bytes, values);
}

std::optional<std::size_t> quantize(BlockType type, std::span<const float> values,
                                    std::span<std::uint8_t> bytes) {
  return encode(element_of(type), values, bytes);
}

std::optional<std::size_t> quantize_weighted(BlockType type, std::span<const float> values,
                                             std::span<const float>,
                                             std::span<std::uint8_t> bytes) {
  return quantize(type, values, bytes);
}

}  // namespace ballast::formats
