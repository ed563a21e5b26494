#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/lanes/half.hpp"

namespace ballast::formats {

inline constexpr std::size_t kSmallBlock = 32;  ///< values
inline constexpr std::size_t kHalfBlock = kSmallBlock / 2;

/// Numbers of 16 and 32 bits in a block, little-endian, at any address.
BALLAST_INLINE void put_fp16(std::uint8_t* at, float value) {
  const std::uint16_t bits = kernels::to_fp16(value);
  std::memcpy(at, &bits, sizeof bits);
}

BALLAST_INLINE float get_fp16(const std::uint8_t* at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return kernels::from_fp16(bits);
}

/// Where the parts of a block of 32 values are. In this order: scale d (fp16); minimum m (fp16) if
/// there is one; the fifth bits of all codes if they have one, that of value j in bit j of 32; the
/// lower four bits, byte j: value j low, value j + 16 high.
/// x = d·q + m, or, without a minimum, d·(q − half the number of codes).
template <unsigned kBitsACode, bool kHasMinimumToo>
struct SmallBlock {
  static constexpr unsigned kBits = kBitsACode;
  static constexpr bool kHasMinimum = kHasMinimumToo;
  static constexpr std::int32_t kTop = (1 << kBits) - 1;
  static constexpr std::int32_t kHalf = 1 << (kBits - 1);

  static constexpr std::size_t kMinimum = 2;
  static constexpr std::size_t kFifthBits = kHasMinimum ? 4 : 2;
  static constexpr std::size_t kNibbles = kFifthBits + (kBits == 5 ? 4 : 0);
  static constexpr std::size_t kBytes = kNibbles + kHalfBlock;
};

using Q4Scaled = SmallBlock<4, false>;
using Q4Affine = SmallBlock<4, true>;
using Q5Scaled = SmallBlock<5, false>;
using Q5Affine = SmallBlock<5, true>;

/// codes: [32], each of Block::kBits bits.
template <class Block>
BALLAST_INLINE void put_codes(const std::uint8_t* codes, std::uint8_t* block) {
  for (std::size_t j = 0; j < kHalfBlock; ++j) {
    block[Block::kNibbles + j] =
        static_cast<std::uint8_t>((codes[j] & 15u) | (codes[j + kHalfBlock] & 15u) << 4);
  }
  if constexpr (Block::kBits == 5) {
    std::uint32_t fifth = 0;
    for (std::size_t j = 0; j < kSmallBlock; ++j) fifth |= (codes[j] >> 4 & 1u) << j;
    std::memcpy(block + Block::kFifthBits, &fifth, sizeof fifth);
  }
}

template <class Block>
BALLAST_INLINE void get_codes(const std::uint8_t* block, std::uint8_t* codes) {
  for (std::size_t j = 0; j < kHalfBlock; ++j) {
    codes[j] = block[Block::kNibbles + j] & 15u;
    codes[j + kHalfBlock] = block[Block::kNibbles + j] >> 4;
  }
  if constexpr (Block::kBits == 5) {
    std::uint32_t fifth = 0;
    std::memcpy(&fifth, block + Block::kFifthBits, sizeof fifth);
    for (std::size_t j = 0; j < kSmallBlock; ++j) {
      codes[j] = static_cast<std::uint8_t>(codes[j] | (fifth >> j & 1u) << 4);
    }
  }
}

}  // namespace ballast::formats
