#include "formats/gguf/blocks/scaled_super_blocks.hpp"

#include <cstring>

#include "formats/gguf/blocks/scale_search.hpp"
#include "formats/gguf/blocks/small_block.hpp"
#include "formats/gguf/blocks/super_block.hpp"

namespace ballast::formats {

namespace {

// The parts of a block, in this order: lower four bits, upper two, levels, d (fp16).
// Sub-block j: x = d · level j · (q − 32).
constexpr std::size_t kUpperBits = 128;
constexpr std::size_t kLevels = 192;
constexpr std::size_t kUnit = 208;
constexpr std::size_t kQ6Bytes = 210;
constexpr std::int32_t kHalf = 32;
constexpr std::int32_t kLowestLevel = -128;
constexpr std::int32_t kHighestLevel = 127;

/// The result of a search as plain numbers, one a sub-block.
struct ScaleFits {
  float scales[kScaledSubBlocks];
  float inverses[kScaledSubBlocks];
};

/// Searches the scales of sub-blocks `first` to `first` + 7. Without an importance matrix, null,
/// the square of a value is its weight.
BALLAST_INLINE void search_eight(const float* values, const float* importance, std::size_t first,
                                 ScaleFits& fits) {
  FloatLanes x[kScaledSubBlock];
  FloatLanes weights[kScaledSubBlock];
  ScaleLanes found{};
  put_side_by_side<kScaledSubBlock>(values + first * kScaledSubBlock, kSideBySide, x);
  if (importance != nullptr) {
    put_side_by_side<kScaledSubBlock>(importance + first * kScaledSubBlock, kSideBySide, weights);
  } else {
    for (std::size_t i = 0; i < kScaledSubBlock; ++i) weights[i] = x[i] * x[i];
  }
  search_scales<kScaledSubBlock>(x, weights, kHalf, found);
  __builtin_memcpy(fits.scales + first, &found.scale, sizeof found.scale);
  __builtin_memcpy(fits.inverses + first, &found.inverse, sizeof found.inverse);
}

/// Codes anew, for the scales as they are stored; those of the search where the stored scale is 0.
BALLAST_INLINE void round_codes(const float* values, const ScaleFits& fits, float unit,
                                const std::int8_t* levels, std::uint8_t* codes) {
  for (std::size_t j = 0; j < kScaledSubBlocks; ++j) {
    const float* x = values + j * kScaledSubBlock;
    std::uint8_t* out = codes + j * kScaledSubBlock;
    const float scale = unit * static_cast<float>(levels[j]);
    const float inverse = fits.inverses[j];
    if (scale != 0.0f) {
      for (std::size_t i = 0; i < kScaledSubBlock; ++i) {
        out[i] = static_cast<std::uint8_t>(nearest_within(x[i] / scale, -kHalf, kHalf - 1) + kHalf);
      }
    } else if (inverse != 0.0f) {
      for (std::size_t i = 0; i < kScaledSubBlock; ++i) {
        out[i] =
            static_cast<std::uint8_t>(nearest_within(x[i] * inverse, -kHalf, kHalf - 1) + kHalf);
      }
    } else {
      std::memset(out, 0, kScaledSubBlock);
    }
  }
}

/// Of each half of 128 codes, in quarters of 32: byte l of the lower bits has those of quarters 0
/// (low) and 2 (high), byte l + 32 those of 1 and 3; byte l of the upper bits has those of all
/// four.
BALLAST_INLINE void put_q6_codes(const std::uint8_t* codes, std::uint8_t* block) {
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint8_t* q = codes + 128 * half;
    std::uint8_t* lower = block + 64 * half;
    std::uint8_t* upper = block + kUpperBits + 32 * half;
    for (std::size_t l = 0; l < 32; ++l) {
      lower[l] = static_cast<std::uint8_t>((q[l] & 15u) | (q[l + 64] & 15u) << 4);
      lower[l + 32] = static_cast<std::uint8_t>((q[l + 32] & 15u) | (q[l + 96] & 15u) << 4);
      upper[l] = static_cast<std::uint8_t>(q[l] >> 4 | (q[l + 32] >> 4) << 2 |
                                           (q[l + 64] >> 4) << 4 | (q[l + 96] >> 4) << 6);
    }
  }
}

BALLAST_INLINE void get_q6_codes(const std::uint8_t* block, std::uint8_t* codes) {
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint8_t* q = codes + 128 * half;
    const std::uint8_t* lower = block + 64 * half;
    const std::uint8_t* upper = block + kUpperBits + 32 * half;
    for (std::size_t l = 0; l < 32; ++l) {
      q[l] = static_cast<std::uint8_t>((lower[l] & 15u) | (upper[l] & 3u) << 4);
      q[l + 32] = static_cast<std::uint8_t>((lower[l + 32] & 15u) | (upper[l] >> 2 & 3u) << 4);
      q[l + 64] = static_cast<std::uint8_t>(lower[l] >> 4 | (upper[l] >> 4 & 3u) << 4);
      q[l + 96] = static_cast<std::uint8_t>(lower[l + 32] >> 4 | (upper[l] >> 6) << 4);
    }
  }
}

/// The first of the scales of largest magnitude, which becomes level −128.
BALLAST_INLINE float largest_of(const float* scales) {
  float largest = 0.0f;
  float size = 0.0f;
  for (std::size_t j = 0; j < kScaledSubBlocks; ++j) {
    const float candidate = __builtin_fabsf(scales[j]);
    largest = candidate > size ? scales[j] : largest;
    size = candidate > size ? candidate : size;
  }
  return largest;
}

BALLAST_INLINE void quantize_block(const float* values, const float* importance,
                                   std::uint8_t* block) {
  ScaleFits fits{};
  search_eight(values, importance, 0, fits);
  search_eight(values, importance, kSideBySide, fits);
  const float largest = largest_of(fits.scales);
  if (__builtin_fabsf(largest) < kSmallestMagnitude) {
    std::memset(block, 0, kQ6Bytes);
    return;
  }
  const float inverse = static_cast<float>(kLowestLevel) / largest;
  std::int8_t levels[kScaledSubBlocks];
  for (std::size_t j = 0; j < kScaledSubBlocks; ++j) {
    levels[j] = static_cast<std::int8_t>(
        nearest_within(inverse * fits.scales[j], kLowestLevel, kHighestLevel));
  }
  std::uint8_t codes[kSuperBlock];
  put_fp16(block + kUnit, 1.0f / inverse);
  std::memcpy(block + kLevels, levels, sizeof levels);
  round_codes(values, fits, get_fp16(block + kUnit), levels, codes);
  put_q6_codes(codes, block);
}

}  // namespace

BALLAST_KERNEL void quantize_q6_k(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_block(values + b * kSuperBlock, nullptr, bytes + b * kQ6Bytes);
  }
}

BALLAST_KERNEL void quantize_q6_k(const float* values, const float* importance, std::size_t blocks,
                                  std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_block(values + b * kSuperBlock, importance + b * kSuperBlock, bytes + b * kQ6Bytes);
  }
}

BALLAST_KERNEL void dequantize_q6_k(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::uint8_t* block = bytes + b * kQ6Bytes;
    std::uint8_t codes[kSuperBlock];
    get_q6_codes(block, codes);
    const float unit = get_fp16(block + kUnit);
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      const auto level = static_cast<std::int8_t>(block[kLevels + i / kScaledSubBlock]);
      values[b * kSuperBlock + i] =
          unit * static_cast<float>(level) * static_cast<float>(codes[i] - kHalf);
    }
  }
}

}  // namespace ballast::formats
