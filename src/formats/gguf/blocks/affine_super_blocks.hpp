#pragma once

#include <cstddef>
#include <cstdint>

// Super-blocks of 256 values: eight sub-blocks of 32, each with a scale and a minimum of 6 bits.
// values: [blocks, 256]; bytes: [blocks, bytes a block]; importance: [256 · blocks], one a value.
namespace ballast::formats {

void quantize_q4_k(const float* values, std::size_t blocks, std::uint8_t* bytes);
void quantize_q5_k(const float* values, std::size_t blocks, std::uint8_t* bytes);

void quantize_q4_k(const float* values, const float* importance, std::size_t blocks,
                   std::uint8_t* bytes);
void quantize_q5_k(const float* values, const float* importance, std::size_t blocks,
                   std::uint8_t* bytes);

void dequantize_q4_k(const std::uint8_t* bytes, std::size_t blocks, float* values);
void dequantize_q5_k(const std::uint8_t* bytes, std::size_t blocks, float* values);

}  // namespace ballast::formats
