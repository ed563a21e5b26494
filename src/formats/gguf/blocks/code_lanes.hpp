#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/lanes/isa.hpp"

// How values become codes, and eight sub-blocks at a time. ggml adds up each sub-block from its
// first value to its last in fp32; a search that keeps its bytes must keep that order. So a vector
// holds one value of each of eight sub-blocks, and every lane adds in ggml's order.
namespace ballast::formats {

inline constexpr std::size_t kSideBySide = 8;

/// One number for each of eight sub-blocks. Never a parameter by value or a result: how those are
/// passed depends on the instruction set.
typedef float FloatLanes __attribute__((vector_size(kSideBySide * sizeof(float))));
typedef std::int32_t IntLanes __attribute__((vector_size(kSideBySide * sizeof(std::int32_t))));

/// Next to this number, 1.5 · 2^23, an fp32 has the spacing 1: adding it rounds, ties to even, and
/// the integer is the lower bits of the sum.
inline constexpr float kRoundingShift = 12582912.0f;
inline constexpr std::int32_t kRoundingMask = 0x7FFFFF;
inline constexpr std::int32_t kRoundingOffset = 0x400000;

/// The integer nearest to x, ties to even, if |x| < 2^22. Anything else, NaN too, gives the number
/// that the same bits give in ggml.
BALLAST_INLINE std::int32_t nearest(float x) {
  return (std::bit_cast<std::int32_t>(x + kRoundingShift) & kRoundingMask) - kRoundingOffset;
}

/// nearest(x), at least `low` and at most `high`.
BALLAST_INLINE std::int32_t nearest_within(float x, std::int32_t low, std::int32_t high) {
  const std::int32_t whole = nearest(x);
  const std::int32_t raised = whole < low ? low : whole;
  return raised > high ? high : raised;
}

/// The same for eight numbers; the integers as floats.
BALLAST_INLINE void nearest_within(const FloatLanes& x, std::int32_t low, std::int32_t high,
                                   FloatLanes& codes) {
  const FloatLanes shifted = x + kRoundingShift;
  const IntLanes lows = IntLanes{} + low;
  const IntLanes highs = IntLanes{} + high;
  IntLanes whole{};
  __builtin_memcpy(&whole, &shifted, sizeof whole);
  whole = (whole & kRoundingMask) - kRoundingOffset;
  whole = whole < lows ? lows : whole;
  whole = whole > highs ? highs : whole;
  codes = __builtin_convertvector(whole, FloatLanes);
}

/// |x|, of every lane.
BALLAST_INLINE void magnitude(const FloatLanes& x, FloatLanes& result) {
  IntLanes bits{};
  __builtin_memcpy(&bits, &x, sizeof bits);
  bits &= 0x7FFFFFFF;
  __builtin_memcpy(&result, &bits, sizeof result);
}

BALLAST_INLINE void square_root(const FloatLanes& x, FloatLanes& result) {
  for (std::size_t lane = 0; lane < kSideBySide; ++lane) result[lane] = __builtin_sqrtf(x[lane]);
}

/// Puts `count` ≤ 8 sub-blocks, which follow each other in memory, side by side: rows[i] has value
/// i of each. values: [count, kValues]; rows: [kValues]. Lanes from `count` on become 0.
template <std::size_t kValues>
BALLAST_INLINE void put_side_by_side(const float* values, std::size_t count, FloatLanes* rows) {
  for (std::size_t i = 0; i < kValues; ++i) rows[i] = FloatLanes{};
  for (std::size_t lane = 0; lane < count; ++lane) {
    for (std::size_t i = 0; i < kValues; ++i) rows[i][lane] = values[lane * kValues + i];
  }
}

}  // namespace ballast::formats
