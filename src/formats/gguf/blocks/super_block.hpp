#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/gguf/blocks/affine_search.hpp"
#include "kernels/lanes/isa.hpp"

namespace ballast::formats {

inline constexpr std::size_t kSuperBlock = 256;     ///< values
inline constexpr std::size_t kAffineSubBlock = 32;  ///< values of q4_k and q5_k
inline constexpr std::size_t kScaledSubBlock = 16;  ///< values of q6_k
inline constexpr std::size_t kAffineSubBlocks = kSuperBlock / kAffineSubBlock;
inline constexpr std::size_t kScaledSubBlocks = kSuperBlock / kScaledSubBlock;
inline constexpr std::int32_t kTopLevel = 63;  ///< of scales and minimums of 6 bits

static_assert(kAffineSubBlocks == kSideBySide && kScaledSubBlocks == 2 * kSideBySide);

/// The parts of a super-block of q4_k (4 bits a code) and q5_k (5 bits), in this order: d and dmin
/// (fp16), 12 bytes of levels, the fifth bits if there are any, the lower four bits.
/// Sub-block j: x = (d · scale level j) · q − (dmin · minimum level j).
template <unsigned kBitsACode>
struct AffineSuperBlock {
  static constexpr unsigned kBits = kBitsACode;
  static constexpr std::int32_t kTop = (1 << kBits) - 1;
  static constexpr std::size_t kMinimumUnit = 2;
  static constexpr std::size_t kLevels = 4;
  static constexpr std::size_t kFifthBits = 16;
  static constexpr std::size_t kNibbles = kBits == 5 ? 48 : 16;
  static constexpr std::size_t kBytes = kNibbles + kSuperBlock / 2;
};

/// The scales and minimums of the eight sub-blocks, in units of d and dmin.
struct Levels {
  std::uint8_t scales[kAffineSubBlocks];
  std::uint8_t minimums[kAffineSubBlocks];
};

/// 16 numbers of 6 bits in 12 bytes. Of sub-blocks 0 to 3 the scale is in bits 0 to 5 of byte j,
/// the minimum in those of byte j + 4. Sub-blocks 4 to 7 have their lower four bits in byte j + 4,
/// the scale's first, and the upper two in bits 6 and 7 of bytes j − 4 (scale) and j (minimum).
BALLAST_INLINE void put_levels(const Levels& levels, std::uint8_t* bytes) {
  for (std::size_t j = 0; j < 4; ++j) {
    const std::uint8_t scale = levels.scales[j + 4];
    const std::uint8_t minimum = levels.minimums[j + 4];
    bytes[j] = static_cast<std::uint8_t>(levels.scales[j] | (scale >> 4) << 6);
    bytes[j + 4] = static_cast<std::uint8_t>(levels.minimums[j] | (minimum >> 4) << 6);
    bytes[j + 8] = static_cast<std::uint8_t>((scale & 15u) | (minimum & 15u) << 4);
  }
}

BALLAST_INLINE void get_levels(const std::uint8_t* bytes, Levels& levels) {
  for (std::size_t j = 0; j < 4; ++j) {
    levels.scales[j] = bytes[j] & 63u;
    levels.minimums[j] = bytes[j + 4] & 63u;
    levels.scales[j + 4] =
        static_cast<std::uint8_t>((bytes[j + 8] & 15u) | (bytes[j] >> 6 & 3u) << 4);
    levels.minimums[j + 4] =
        static_cast<std::uint8_t>(bytes[j + 8] >> 4 | (bytes[j + 4] >> 6 & 3u) << 4);
  }
}

/// Codes of 256 values. Byte l of group g of 32 bytes: value l of sub-block 2g low, of 2g + 1 high;
/// their fifth bits are bits 2g and 2g + 1 of byte l of 32.
template <class Block>
BALLAST_INLINE void put_super_codes(const std::uint8_t* codes, std::uint8_t* block) {
  for (std::size_t g = 0; g < kAffineSubBlocks / 2; ++g) {
    const std::uint8_t* low = codes + 2 * g * kAffineSubBlock;
    const std::uint8_t* high = low + kAffineSubBlock;
    std::uint8_t* nibbles = block + Block::kNibbles + g * kAffineSubBlock;
    for (std::size_t l = 0; l < kAffineSubBlock; ++l) {
      nibbles[l] = static_cast<std::uint8_t>((low[l] & 15u) | (high[l] & 15u) << 4);
    }
  }
  if constexpr (Block::kBits == 5) {
    for (std::size_t l = 0; l < kAffineSubBlock; ++l) {
      unsigned fifth = 0;
      for (std::size_t j = 0; j < kAffineSubBlocks; ++j) {
        fifth |= (codes[j * kAffineSubBlock + l] >> 4 & 1u) << j;
      }
      block[Block::kFifthBits + l] = static_cast<std::uint8_t>(fifth);
    }
  }
}

template <class Block>
BALLAST_INLINE void get_super_codes(const std::uint8_t* block, std::uint8_t* codes) {
  for (std::size_t j = 0; j < kAffineSubBlocks; ++j) {
    const std::uint8_t* nibbles = block + Block::kNibbles + j / 2 * kAffineSubBlock;
    for (std::size_t l = 0; l < kAffineSubBlock; ++l) {
      unsigned code = nibbles[l] >> (j % 2 * 4) & 15u;
      if constexpr (Block::kBits == 5) {
        code |= (block[Block::kFifthBits + l] >> j & 1u) << 4;
      }
      codes[j * kAffineSubBlock + l] = static_cast<std::uint8_t>(code);
    }
  }
}

}  // namespace ballast::formats
