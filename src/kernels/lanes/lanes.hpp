#pragma once

#include <cstddef>

#include "kernels/lanes/isa.hpp"

// Reductions over a fixed virtual width: element i goes to lane i mod 16 and the lanes meet in a
// fixed tree, so the bits depend on the data and its size alone, not on the instruction set.
namespace ballast::kernels {

inline constexpr std::size_t kLanes = 16;

[[nodiscard]] constexpr std::size_t round_to_lanes(std::size_t count) {
  return (count + kLanes - 1) / kLanes * kLanes;
}

/// The lanes of a reduction, as the compiler's vector type: left to itself it would keep a plain
/// array in 16 scalar registers. Never a parameter or a result, since how those are passed depends
/// on the instruction set.
typedef float LaneVector __attribute__((vector_size(kLanes * sizeof(float))));

/// 16 elements of x, or `count` of them and then `fill`.
BALLAST_INLINE void load_lanes(const float* x, std::size_t count, float fill, LaneVector& lanes) {
  if (count >= kLanes) {
    __builtin_memcpy(&lanes, x, sizeof lanes);
  } else {
    float values[kLanes];
    for (float& value : values) value = fill;
    for (std::size_t l = 0; l < count; ++l) values[l] = x[l];
    __builtin_memcpy(&lanes, values, sizeof lanes);
  }
}

template <class T>
BALLAST_INLINE T lane_tree(const T* lanes) {
  T eight[8];
  T four[4];
  for (std::size_t l = 0; l < 8; ++l) eight[l] = lanes[l] + lanes[l + 8];
  for (std::size_t l = 0; l < 4; ++l) four[l] = eight[l] + eight[l + 4];
  return (four[0] + four[2]) + (four[1] + four[3]);
}

BALLAST_INLINE float lane_tree(const LaneVector& lanes) {
  float values[kLanes];
  __builtin_memcpy(values, &lanes, sizeof values);
  return lane_tree(values);
}

BALLAST_INLINE float lane_sum(const float* x, std::size_t count) {
  LaneVector sum{};
  LaneVector value;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    load_lanes(x + i, kLanes, 0.0f, value);
    sum += value;
  }
  if (i < count) {
    load_lanes(x + i, count - i, 0.0f, value);
    sum += value;
  }
  return lane_tree(sum);
}

/// Σ x y
BALLAST_INLINE float lane_dot(const float* x, const float* y, std::size_t count) {
  LaneVector sum{};
  LaneVector a;
  LaneVector b;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    load_lanes(x + i, kLanes, 0.0f, a);
    load_lanes(y + i, kLanes, 0.0f, b);
    sum += a * b;
  }
  if (i < count) {
    load_lanes(x + i, count - i, 0.0f, a);
    load_lanes(y + i, count - i, 0.0f, b);
    sum += a * b;
  }
  return lane_tree(sum);
}

/// Σ (x − center)²
BALLAST_INLINE float lane_squares(const float* x, float center, std::size_t count) {
  LaneVector sum{};
  LaneVector value;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    load_lanes(x + i, kLanes, 0.0f, value);
    value -= center;
    sum += value * value;
  }
  if (i < count) {
    load_lanes(x + i, count - i, center, value);
    value -= center;
    sum += value * value;
  }
  return lane_tree(sum);
}

/// The largest element, or −inf of none. NaNs are ignored. The order does not matter here, so this
/// takes half the lanes at a time: the widest vector that AVX2 can compare.
BALLAST_INLINE float lane_max(const float* x, std::size_t count) {
  typedef float HalfVector __attribute__((vector_size(kLanes / 2 * sizeof(float))));
  constexpr float kNone = -__builtin_inff();
  HalfVector largest_low = HalfVector{} + kNone;
  HalfVector largest_high = largest_low;
  HalfVector low;
  HalfVector high;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    __builtin_memcpy(&low, x + i, sizeof low);
    __builtin_memcpy(&high, x + i + kLanes / 2, sizeof high);
    largest_low = low > largest_low ? low : largest_low;
    largest_high = high > largest_high ? high : largest_high;
  }
  largest_low = largest_high > largest_low ? largest_high : largest_low;
  float result = kNone;
  for (std::size_t l = 0; l < kLanes / 2; ++l) {
    result = largest_low[l] > result ? largest_low[l] : result;
  }
  for (; i < count; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

}  // namespace ballast::kernels
