#include "formats/gguf/blocks/affine_super_blocks.hpp"

#include "formats/gguf/blocks/level_search.hpp"
#include "formats/gguf/blocks/small_block.hpp"
#include "formats/gguf/blocks/super_block.hpp"

namespace ballast::formats {

namespace {

using Q4K = AffineSuperBlock<4>;
using Q5K = AffineSuperBlock<5>;

/// The result of a search as plain numbers, one a sub-block.
struct AffineFits {
  float scales[kAffineSubBlocks];
  float minimums[kAffineSubBlocks];
  float inverses[kAffineSubBlocks];
  float offsets[kAffineSubBlocks];
};

BALLAST_INLINE void copy_lanes(const AffineLanes& found, AffineFits& fits) {
  __builtin_memcpy(fits.scales, &found.scale, sizeof fits.scales);
  __builtin_memcpy(fits.minimums, &found.minimum, sizeof fits.minimums);
  __builtin_memcpy(fits.inverses, &found.inverse, sizeof fits.inverses);
  __builtin_memcpy(fits.offsets, &found.offset, sizeof fits.offsets);
}

/// Without an importance matrix large values weigh more: w = rms of the sub-block + |x|.
BALLAST_INLINE void weigh_plainly(const FloatLanes* x, FloatLanes* weights) {
  FloatLanes squares{};
  for (std::size_t i = 0; i < kAffineSubBlock; ++i) squares += x[i] * x[i];
  FloatLanes rms{};
  square_root(squares / static_cast<float>(kAffineSubBlock), rms);
  for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
    magnitude(x[i], weights[i]);
    weights[i] = rms + weights[i];
  }
}

/// With one: w = importance · sqrt(2 · mean square of the super-block + x²). sums: Σw.
BALLAST_INLINE void weigh_by_importance(const float* values, const FloatLanes* x,
                                        const FloatLanes* importance, FloatLanes* weights,
                                        FloatLanes& sums) {
  float squares = 0.0f;
  for (std::size_t i = 0; i < kSuperBlock; ++i) squares += values[i] * values[i];
  const float spread = 2.0f * squares / static_cast<float>(kSuperBlock);
  sums = FloatLanes{};
  for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
    square_root(spread + x[i] * x[i], weights[i]);
    weights[i] = importance[i] * weights[i];
    sums += weights[i];
  }
}

BALLAST_INLINE float largest_of(const float* x) {
  float largest = 0.0f;
  for (std::size_t j = 0; j < kAffineSubBlocks; ++j) largest = x[j] > largest ? x[j] : largest;
  return largest;
}

/// Levels that take the largest number to 63. Returns the unit.
BALLAST_INLINE float round_levels(const float* x, std::uint8_t* levels) {
  const float largest = largest_of(x);
  const float inverse = largest > 0.0f ? static_cast<float>(kTopLevel) / largest : 0.0f;
  for (std::size_t j = 0; j < kAffineSubBlocks; ++j) {
    levels[j] = static_cast<std::uint8_t>(nearest_within(inverse * x[j], 0, kTopLevel));
  }
  return largest / static_cast<float>(kTopLevel);
}

/// Codes anew, for the scales and minimums as they are stored; those of the search where the stored
/// scale is 0.
template <class Block>
BALLAST_INLINE void round_codes(const float* values, const AffineFits& fits, const Levels& levels,
                                float unit, float minimum_unit, std::uint8_t* codes) {
  for (std::size_t j = 0; j < kAffineSubBlocks; ++j) {
    const float* x = values + j * kAffineSubBlock;
    std::uint8_t* out = codes + j * kAffineSubBlock;
    const float scale = unit * static_cast<float>(levels.scales[j]);
    const float minimum = minimum_unit * static_cast<float>(levels.minimums[j]);
    const float inverse = fits.inverses[j];
    const float offset = fits.offsets[j];
    if (scale != 0.0f) {
      for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
        out[i] =
            static_cast<std::uint8_t>(nearest_within((x[i] + minimum) / scale, 0, Block::kTop));
      }
    } else {
      for (std::size_t i = 0; i < kAffineSubBlock; ++i) {
        out[i] =
            static_cast<std::uint8_t>(nearest_within(inverse * (x[i] - offset), 0, Block::kTop));
      }
    }
  }
}

template <class Block>
BALLAST_INLINE void put_block(const float* values, const AffineFits& fits, const Levels& levels,
                              float unit, float minimum_unit, std::uint8_t* block) {
  std::uint8_t codes[kSuperBlock];
  put_fp16(block, unit);
  put_fp16(block + Block::kMinimumUnit, minimum_unit);
  put_levels(levels, block + Block::kLevels);
  round_codes<Block>(values, fits, levels, get_fp16(block), get_fp16(block + Block::kMinimumUnit),
                     codes);
  put_super_codes<Block>(codes, block);
}

template <class Block>
BALLAST_INLINE void quantize_plainly(const float* values, const AffineTrials& trials,
                                     std::uint8_t* block) {
  FloatLanes x[kAffineSubBlock];
  FloatLanes weights[kAffineSubBlock];
  AffineLanes found{};
  AffineFits fits{};
  Levels levels{};
  put_side_by_side<kAffineSubBlock>(values, kSideBySide, x);
  weigh_plainly(x, weights);
  search_affine<kAffineSubBlock>(x, weights, Block::kTop, trials, found);
  copy_lanes(found, fits);
  const float unit = round_levels(fits.scales, levels.scales);
  const float minimum_unit = round_levels(fits.minimums, levels.minimums);
  put_block<Block>(values, fits, levels, unit, minimum_unit, block);
}

template <class Block>
BALLAST_INLINE void quantize_by_importance(const float* values, const float* importance,
                                           std::uint8_t* block) {
  FloatLanes x[kAffineSubBlock];
  FloatLanes weights[kAffineSubBlock];
  FloatLanes importances[kAffineSubBlock];
  FloatLanes sums{};
  float weight_sums[kAffineSubBlocks];
  AffineLanes found{};
  AffineFits fits{};
  Levels levels{};
  put_side_by_side<kAffineSubBlock>(values, kSideBySide, x);
  put_side_by_side<kAffineSubBlock>(importance, kSideBySide, importances);
  weigh_by_importance(values, x, importances, weights, sums);
  __builtin_memcpy(weight_sums, &sums, sizeof weight_sums);
  search_affine<kAffineSubBlock>(x, weights, Block::kTop, kWeightedTrials, found);
  copy_lanes(found, fits);
  const float unit = search_levels(fits.scales, weight_sums, kAffineSubBlocks, levels.scales);
  const float minimum_unit =
      search_levels(fits.minimums, weight_sums, kAffineSubBlocks, levels.minimums);
  put_block<Block>(values, fits, levels, unit, minimum_unit, block);
}

template <class Block>
BALLAST_INLINE void dequantize_block(const std::uint8_t* block, float* values) {
  std::uint8_t codes[kSuperBlock];
  Levels levels{};
  get_super_codes<Block>(block, codes);
  get_levels(block + Block::kLevels, levels);
  const float unit = get_fp16(block);
  const float minimum_unit = get_fp16(block + Block::kMinimumUnit);
  for (std::size_t j = 0; j < kAffineSubBlocks; ++j) {
    const float scale = unit * static_cast<float>(levels.scales[j]);
    const float minimum = minimum_unit * static_cast<float>(levels.minimums[j]);
    for (std::size_t i = j * kAffineSubBlock; i < (j + 1) * kAffineSubBlock; ++i) {
      values[i] = scale * static_cast<float>(codes[i]) - minimum;
    }
  }
}

}  // namespace

BALLAST_KERNEL void quantize_q4_k(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_plainly<Q4K>(values + b * kSuperBlock, kPlainTrials4, bytes + b * Q4K::kBytes);
  }
}

BALLAST_KERNEL void quantize_q5_k(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_plainly<Q5K>(values + b * kSuperBlock, kPlainTrials5, bytes + b * Q5K::kBytes);
  }
}

BALLAST_KERNEL void quantize_q4_k(const float* values, const float* importance, std::size_t blocks,
                                  std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_by_importance<Q4K>(values + b * kSuperBlock, importance + b * kSuperBlock,
                                bytes + b * Q4K::kBytes);
  }
}

BALLAST_KERNEL void quantize_q5_k(const float* values, const float* importance, std::size_t blocks,
                                  std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_by_importance<Q5K>(values + b * kSuperBlock, importance + b * kSuperBlock,
                                bytes + b * Q5K::kBytes);
  }
}

BALLAST_KERNEL void dequantize_q4_k(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    dequantize_block<Q4K>(bytes + b * Q4K::kBytes, values + b * kSuperBlock);
  }
}

BALLAST_KERNEL void dequantize_q5_k(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    dequantize_block<Q5K>(bytes + b * Q5K::kBytes, values + b * kSuperBlock);
  }
}

}  // namespace ballast::formats
