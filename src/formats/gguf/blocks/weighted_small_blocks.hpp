#pragma once

#include <cstddef>
#include <cstdint>

// Blocks of 32 values by a search that weighs squared errors, for one row: a weight is
// importance · sqrt(mean square of the row + x²).
// values, importance: [blocks, 32]; bytes: [blocks, bytes a block].
namespace ballast::formats {

void quantize_row_q4_0(const float* values, const float* importance, std::size_t blocks,
                       std::uint8_t* bytes);
void quantize_row_q4_1(const float* values, const float* importance, std::size_t blocks,
                       std::uint8_t* bytes);
void quantize_row_q5_0(const float* values, const float* importance, std::size_t blocks,
                       std::uint8_t* bytes);
void quantize_row_q5_1(const float* values, const float* importance, std::size_t blocks,
                       std::uint8_t* bytes);

}  // namespace ballast::formats
