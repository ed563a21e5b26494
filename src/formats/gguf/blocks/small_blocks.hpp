#pragma once

#include <cstddef>
#include <cstdint>

// Blocks of 32 values with one scale, and perhaps a minimum: no search, the largest value or the
// range decides. values: [blocks, 32]; bytes: [blocks, bytes a block].
namespace ballast::formats {

void quantize_q4_0(const float* values, std::size_t blocks, std::uint8_t* bytes);
void quantize_q4_1(const float* values, std::size_t blocks, std::uint8_t* bytes);
void quantize_q5_0(const float* values, std::size_t blocks, std::uint8_t* bytes);
void quantize_q5_1(const float* values, std::size_t blocks, std::uint8_t* bytes);
void quantize_q8_0(const float* values, std::size_t blocks, std::uint8_t* bytes);

void dequantize_q4_0(const std::uint8_t* bytes, std::size_t blocks, float* values);
void dequantize_q4_1(const std::uint8_t* bytes, std::size_t blocks, float* values);
void dequantize_q5_0(const std::uint8_t* bytes, std::size_t blocks, float* values);
void dequantize_q5_1(const std::uint8_t* bytes, std::size_t blocks, float* values);
void dequantize_q8_0(const std::uint8_t* bytes, std::size_t blocks, float* values);

}  // namespace ballast::formats
