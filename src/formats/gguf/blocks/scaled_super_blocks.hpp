#pragma once

#include <cstddef>
#include <cstdint>

// q6_k: super-blocks of 256 values, sixteen sub-blocks of 16, each with a scale of 8 bits.
// values: [blocks, 256]; bytes: [blocks, 210]; importance: [256 · blocks], one a value.
namespace ballast::formats {

void quantize_q6_k(const float* values, std::size_t blocks, std::uint8_t* bytes);
void quantize_q6_k(const float* values, const float* importance, std::size_t blocks,
                   std::uint8_t* bytes);
void dequantize_q6_k(const std::uint8_t* bytes, std::size_t blocks, float* values);

}  // namespace ballast::formats
