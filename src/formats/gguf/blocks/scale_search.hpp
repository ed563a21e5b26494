#pragma once

#include "formats/gguf/blocks/code_lanes.hpp"

namespace ballast::formats {

/// What is smaller than this in magnitude is stored as zeros.
inline constexpr float kSmallestMagnitude = 1e-15f;

/// A scale for each of eight sub-blocks, and how the search came to its codes:
/// code = nearest(inverse · x) within [−half, half − 1]. Both are 0 for a sub-block of zeros.
struct ScaleLanes {
  FloatLanes scale;
  FloatLanes inverse;
};

/// largest = the first value of each sub-block that no other exceeds in magnitude, with its sign;
/// size = its magnitude.
template <std::size_t kValues>
BALLAST_INLINE void find_largest(const FloatLanes* x, FloatLanes& largest, FloatLanes& size) {
  largest = FloatLanes{};
  size = FloatLanes{};
  for (std::size_t i = 0; i < kValues; ++i) {
    FloatLanes candidate{};
    magnitude(x[i], candidate);
    const IntLanes exceeds = candidate > size;
    size = exceeds ? candidate : size;
    largest = exceeds ? x[i] : largest;
  }
}

/// Σ w·x·q and Σ w·q² over the values of each sub-block, q = nearest(inverse · x) within
/// [−half, half − 1].
template <std::size_t kValues>
BALLAST_INLINE void correlate(const FloatLanes* x, const FloatLanes* weights,
                              const FloatLanes& inverse, std::int32_t half, FloatLanes& with_values,
                              FloatLanes& with_itself) {
  with_values = FloatLanes{};
  with_itself = FloatLanes{};
  for (std::size_t i = 0; i < kValues; ++i) {
    FloatLanes code{};
    nearest_within(inverse * x[i], -half, half - 1, code);
    with_values += weights[i] * x[i] * code;
    with_itself += weights[i] * code * code;
  }
}

/// The scales d that make Σ w·(x − d·q)² small for codes q in [−half, half − 1]. For given codes
/// the best is d = Σwxq / Σwq², and it leaves Σwx² − (Σwxq)² / Σwq². The codes tried are those that
/// take the largest value to −half, and to a little less or more: −(half + k/10), k = −9 … 9. x,
/// weights: [kValues], eight sub-blocks side by side.
template <std::size_t kValues>
BALLAST_INLINE void search_scales(const FloatLanes* x, const FloatLanes* weights, std::int32_t half,
                                  ScaleLanes& found) {
  const FloatLanes zero{};
  FloatLanes largest{};
  FloatLanes size{};
  find_largest<kValues>(x, largest, size);
  const IntLanes is_empty = size < zero + kSmallestMagnitude;

  found.inverse = (zero - static_cast<float>(half)) / largest;
  FloatLanes with_values{};
  FloatLanes with_itself{};
  correlate<kValues>(x, weights, found.inverse, half, with_values, with_itself);
  found.scale = with_itself != zero ? with_values / with_itself : zero;
  FloatLanes best = found.scale * with_values;
  for (int k = -9; k <= 9; ++k) {
    if (k == 0) continue;
    const float reach = static_cast<float>(half) + 0.1f * static_cast<float>(k);
    const FloatLanes inverse = (zero - reach) / largest;
    correlate<kValues>(x, weights, inverse, half, with_values, with_itself);
    const IntLanes is_better =
        (with_itself > zero) & (with_values * with_values > best * with_itself);
    const FloatLanes scale = with_values / with_itself;
    found.inverse = is_better ? inverse : found.inverse;
    found.scale = is_better ? scale : found.scale;
    best = is_better ? scale * with_values : best;
  }
  found.scale = is_empty ? zero : found.scale;
  found.inverse = is_empty ? zero : found.inverse;
}

}  // namespace ballast::formats
