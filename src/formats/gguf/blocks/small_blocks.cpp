#include "formats/gguf/blocks/small_blocks.hpp"

#include <bit>
#include <limits>

#include "formats/gguf/blocks/small_block.hpp"

namespace ballast::formats {

namespace {

constexpr std::size_t kQ8Bytes = 2 + kSmallBlock;
constexpr float kLargestFloat = std::numeric_limits<float>::max();
constexpr std::int32_t kMagnitude = 0x7FFFFFFF;

/// 1/d, or 0 if d is 0 or so small that 1/d is infinite. ggml would multiply by infinity there and
/// convert the result to an integer of 8 bits, which on x86 gives code 0: see `code_of`.
BALLAST_INLINE float inverse_of(float d) {
  const float inverse = d != 0.0f ? 1.0f / d : 0.0f;
  return __builtin_fabsf(inverse) <= kLargestFloat ? inverse : 0.0f;
}

BALLAST_INLINE bool is_too_small(float d) { return d != 0.0f && inverse_of(d) == 0.0f; }

/// The whole part of x ≥ 0, at most `top`.
BALLAST_INLINE std::uint8_t code_of(float x, std::int32_t top) {
  const auto whole = static_cast<std::int32_t>(x);
  return static_cast<std::uint8_t>(whole < top ? whole : top);
}

/// The magnitude of the largest value, as the bits of a float: those order as floats do, and
/// integers have a largest one whatever the order of the comparisons.
BALLAST_INLINE std::int32_t largest_magnitude(const float* x) {
  std::int32_t largest = 0;
  for (std::size_t j = 0; j < kSmallBlock; ++j) {
    const std::int32_t candidate = std::bit_cast<std::int32_t>(x[j]) & kMagnitude;
    largest = candidate > largest ? candidate : largest;
  }
  return largest;
}

/// The first value of those of largest magnitude, with its sign; +0 of zeros of any sign.
BALLAST_INLINE float largest_of(const float* x) {
  const std::int32_t largest = largest_magnitude(x);
  if (largest == 0) return 0.0f;
  std::int32_t first = kSmallBlock;
  for (std::int32_t j = 0; j < static_cast<std::int32_t>(kSmallBlock); ++j) {
    const std::int32_t candidate = std::bit_cast<std::int32_t>(x[j]) & kMagnitude;
    const std::int32_t place = candidate == largest ? j : static_cast<std::int32_t>(kSmallBlock);
    first = place < first ? place : first;
  }
  return x[first];
}

/// d takes the largest value to the lowest code, whose magnitude is the largest.
template <class Block>
BALLAST_INLINE void quantize_scaled(const float* x, std::uint8_t* block) {
  constexpr auto kShift = static_cast<float>(Block::kHalf) + 0.5f;  // rounds half up
  const float d = largest_of(x) / -static_cast<float>(Block::kHalf);
  const float inverse = inverse_of(d);
  const float shift = is_too_small(d) ? 0.0f : kShift;
  std::uint8_t codes[kSmallBlock];
  for (std::size_t j = 0; j < kSmallBlock; ++j) {
    codes[j] = code_of(x[j] * inverse + shift, Block::kTop);
  }
  put_fp16(block, d);
  put_codes<Block>(codes, block);
}

/// d and m take the range of the values to all codes.
template <class Block>
BALLAST_INLINE void quantize_affine(const float* x, std::uint8_t* block) {
  float low = kLargestFloat;
  float high = -kLargestFloat;
  for (std::size_t j = 0; j < kSmallBlock; ++j) {
    low = x[j] < low ? x[j] : low;
    high = x[j] > high ? x[j] : high;
  }
  const float d = (high - low) / static_cast<float>(Block::kTop);
  const float inverse = inverse_of(d);
  std::uint8_t codes[kSmallBlock];
  for (std::size_t j = 0; j < kSmallBlock; ++j) {
    codes[j] = code_of((x[j] - low) * inverse + 0.5f, Block::kTop);
  }
  put_fp16(block, d);
  put_fp16(block + Block::kMinimum, low);
  put_codes<Block>(codes, block);
}

/// x to the nearest integer, halves away from zero; |x| < 2^31.
BALLAST_INLINE std::int32_t round_away(float x) {
  const auto whole = static_cast<std::int32_t>(x);
  const float rest = x - static_cast<float>(whole);
  return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

template <class Block>
BALLAST_INLINE void dequantize_small(const std::uint8_t* block, float* x) {
  std::uint8_t codes[kSmallBlock];
  get_codes<Block>(block, codes);
  const float d = get_fp16(block);
  if constexpr (Block::kHasMinimum) {
    const float low = get_fp16(block + Block::kMinimum);
    for (std::size_t j = 0; j < kSmallBlock; ++j) x[j] = static_cast<float>(codes[j]) * d + low;
  } else {
    for (std::size_t j = 0; j < kSmallBlock; ++j) {
      x[j] = static_cast<float>(codes[j] - Block::kHalf) * d;
    }
  }
}

}  // namespace

BALLAST_KERNEL void quantize_q4_0(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_scaled<Q4Scaled>(values + b * kSmallBlock, bytes + b * Q4Scaled::kBytes);
  }
}

BALLAST_KERNEL void quantize_q5_0(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_scaled<Q5Scaled>(values + b * kSmallBlock, bytes + b * Q5Scaled::kBytes);
  }
}

BALLAST_KERNEL void quantize_q4_1(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_affine<Q4Affine>(values + b * kSmallBlock, bytes + b * Q4Affine::kBytes);
  }
}

BALLAST_KERNEL void quantize_q5_1(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantize_affine<Q5Affine>(values + b * kSmallBlock, bytes + b * Q5Affine::kBytes);
  }
}

BALLAST_KERNEL void quantize_q8_0(const float* values, std::size_t blocks, std::uint8_t* bytes) {
  for (std::size_t b = 0; b < blocks; ++b) {
    const float* x = values + b * kSmallBlock;
    std::uint8_t* block = bytes + b * kQ8Bytes;
    const float d = std::bit_cast<float>(largest_magnitude(x)) / 127.0f;
    const float inverse = inverse_of(d);
    put_fp16(block, d);
    for (std::size_t j = 0; j < kSmallBlock; ++j) {
      block[2 + j] = static_cast<std::uint8_t>(round_away(x[j] * inverse));
    }
  }
}

BALLAST_KERNEL void dequantize_q4_0(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    dequantize_small<Q4Scaled>(bytes + b * Q4Scaled::kBytes, values + b * kSmallBlock);
  }
}

BALLAST_KERNEL void dequantize_q4_1(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    dequantize_small<Q4Affine>(bytes + b * Q4Affine::kBytes, values + b * kSmallBlock);
  }
}

BALLAST_KERNEL void dequantize_q5_0(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    dequantize_small<Q5Scaled>(bytes + b * Q5Scaled::kBytes, values + b * kSmallBlock);
  }
}

BALLAST_KERNEL void dequantize_q5_1(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    dequantize_small<Q5Affine>(bytes + b * Q5Affine::kBytes, values + b * kSmallBlock);
  }
}

BALLAST_KERNEL void dequantize_q8_0(const std::uint8_t* bytes, std::size_t blocks, float* values) {
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::uint8_t* block = bytes + b * kQ8Bytes;
    const float d = get_fp16(block);
    for (std::size_t j = 0; j < kSmallBlock; ++j) {
      values[b * kSmallBlock + j] = static_cast<float>(static_cast<std::int8_t>(block[2 + j])) * d;
    }
  }
}

}  // namespace ballast::formats
