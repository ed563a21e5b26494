#pragma once

#include "formats/gguf/blocks/code_lanes.hpp"

namespace ballast::formats {

/// A scale and a minimum for each of eight sub-blocks, x ≈ scale · q − minimum, and how the search
/// came to its codes: q = nearest(inverse · (x − offset)) within [0, top]. The minimum is stored
/// with its sign turned: it is never negative. inverse is 0 where all values are equal.
struct AffineLanes {
  FloatLanes scale;
  FloatLanes minimum;
  FloatLanes inverse;
  FloatLanes offset;
};

/// The codes that a search tries: those for which the range of the values takes up
/// top + first + t · step codes, t = 0 … trials − 1.
struct AffineTrials {
  float first;
  float step;
  int trials;
};

/// Without an importance matrix, for codes of 4 and 5 bits; with one, for both.
inline constexpr AffineTrials kPlainTrials4{-1.0f, 0.1f, 21};
inline constexpr AffineTrials kPlainTrials5{-0.5f, 0.1f, 16};
inline constexpr AffineTrials kWeightedTrials{-0.9f, 0.05f, 37};

/// What least squares needs to know of eight sub-blocks and their codes.
struct AffineSums {
  FloatLanes w, wx;         ///< Σw, Σwx
  FloatLanes wq, wq2, wqx;  ///< Σwq, Σwq², Σwqx
};

/// The range of each sub-block, 0 included from below, and Σw and Σwx.
template <std::size_t kValues>
BALLAST_INLINE void find_range(const FloatLanes* x, const FloatLanes* weights, FloatLanes& low,
                               FloatLanes& high, AffineSums& sums) {
  low = x[0];
  high = x[0];
  sums.w = weights[0];
  sums.wx = weights[0] * x[0];
  for (std::size_t i = 1; i < kValues; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    sums.w += weights[i];
    sums.wx += weights[i] * x[i];
  }
  low = low > FloatLanes{} ? FloatLanes{} : low;
}

/// codes = nearest(inverse · (x − offset)) within [0, top], and their sums.
template <std::size_t kValues>
BALLAST_INLINE void try_codes(const FloatLanes* x, const FloatLanes* weights,
                              const FloatLanes& inverse, const FloatLanes& offset, std::int32_t top,
                              FloatLanes* codes, AffineSums& sums) {
  sums.wq = FloatLanes{};
  sums.wq2 = FloatLanes{};
  sums.wqx = FloatLanes{};
  for (std::size_t i = 0; i < kValues; ++i) {
    nearest_within(inverse * (x[i] - offset), 0, top, codes[i]);
    const FloatLanes weighted = weights[i] * codes[i];
    sums.wq += weighted;
    sums.wq2 += weighted * codes[i];
    sums.wqx += weighted * x[i];
  }
}

/// error = Σ w·(scale · q + offset − x)²
template <std::size_t kValues>
BALLAST_INLINE void weigh_error(const FloatLanes* x, const FloatLanes* weights,
                                const FloatLanes* codes, const FloatLanes& scale,
                                const FloatLanes& offset, FloatLanes& error) {
  error = FloatLanes{};
  for (std::size_t i = 0; i < kValues; ++i) {
    const FloatLanes difference = scale * codes[i] + offset - x[i];
    error += weights[i] * (difference * difference);
  }
}

/// The scale and the offset ≤ 0 that make Σ w·(scale · q + offset − x)² smallest for given codes:
/// weighted linear regression of x on q. can_fit: where the codes are not all the same.
BALLAST_INLINE void fit(const AffineSums& sums, FloatLanes& scale, FloatLanes& offset,
                        IntLanes& can_fit) {
  const FloatLanes zero{};
  const FloatLanes determinant = sums.w * sums.wq2 - sums.wq * sums.wq;
  can_fit = determinant > zero;
  scale = (sums.w * sums.wqx - sums.wx * sums.wq) / determinant;
  offset = (sums.wq2 * sums.wx - sums.wq * sums.wqx) / determinant;
  const IntLanes is_above = offset > zero;
  offset = is_above ? zero : offset;
  scale = is_above ? sums.wqx / sums.wq2 : scale;
}

/// Scales and minimums that make the weighted squared error small: codes for the whole range first,
/// then those of all trials, each with its regression; what is better than all before is kept, and
/// its offset is that of the trials that follow.
/// x, weights: [kValues], eight sub-blocks side by side; top: the largest code.
template <std::size_t kValues>
BALLAST_INLINE void search_affine(const FloatLanes* x, const FloatLanes* weights, std::int32_t top,
                                  const AffineTrials& trials, AffineLanes& found) {
  const FloatLanes zero{};
  const auto codes_wanted = static_cast<float>(top);
  FloatLanes codes[kValues];
  AffineSums sums;
  FloatLanes low{};
  FloatLanes high{};
  find_range<kValues>(x, weights, low, high, sums);
  const IntLanes is_flat = high == low;
  const FloatLanes flat_minimum = -low;

  FloatLanes offset = low;
  found.inverse = (zero + codes_wanted) / (high - low);
  found.offset = low;
  found.scale = 1.0f / found.inverse;
  try_codes<kValues>(x, weights, found.inverse, low, top, codes, sums);
  FloatLanes best{};
  weigh_error<kValues>(x, weights, codes, found.scale, offset, best);
  for (int trial = 0; trial < trials.trials; ++trial) {
    const float reach = trials.first + trials.step * static_cast<float>(trial) + codes_wanted;
    const FloatLanes inverse = (zero + reach) / (high - offset);
    try_codes<kValues>(x, weights, inverse, offset, top, codes, sums);
    FloatLanes scale{};
    FloatLanes fitted{};
    IntLanes is_better{};
    fit(sums, scale, fitted, is_better);
    FloatLanes error{};
    weigh_error<kValues>(x, weights, codes, scale, fitted, error);
    is_better &= error < best;
    best = is_better ? error : best;
    found.scale = is_better ? scale : found.scale;
    found.inverse = is_better ? inverse : found.inverse;
    found.offset = is_better ? offset : found.offset;
    offset = is_better ? fitted : offset;
  }
  found.scale = is_flat ? zero : found.scale;
  found.inverse = is_flat ? zero : found.inverse;
  found.minimum = is_flat ? flat_minimum : -offset;
}

}  // namespace ballast::formats
