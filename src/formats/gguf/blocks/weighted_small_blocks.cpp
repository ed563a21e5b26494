#include "formats/gguf/blocks/weighted_small_blocks.hpp"

#include "formats/gguf/blocks/affine_search.hpp"
#include "formats/gguf/blocks/scale_search.hpp"
#include "formats/gguf/blocks/small_block.hpp"

namespace ballast::formats {

namespace {

BALLAST_INLINE float mean_square(const float* row, std::size_t count) {
  float squares = 0.0f;
  for (std::size_t i = 0; i < count; ++i) squares += row[i] * row[i];
  return squares / static_cast<float>(count);
}

BALLAST_INLINE void weigh(const FloatLanes* x, float spread, FloatLanes* weights) {
  for (std::size_t i = 0; i < kSmallBlock; ++i) {
    FloatLanes root{};
    square_root(spread + x[i] * x[i], root);
    weights[i] = weights[i] * root;
  }
}

template <class Block>
BALLAST_INLINE void put_scaled(const ScaleLanes& found, const float* values, std::size_t lane,
                               std::uint8_t* block) {
  const float inverse = found.inverse[lane];
  std::uint8_t codes[kSmallBlock] = {};
  if (inverse != 0.0f) {
    for (std::size_t j = 0; j < kSmallBlock; ++j) {
      codes[j] = static_cast<std::uint8_t>(
          nearest_within(inverse * values[j], -Block::kHalf, Block::kHalf - 1) + Block::kHalf);
    }
  }
  put_fp16(block, found.scale[lane]);
  put_codes<Block>(codes, block);
}

template <class Block>
BALLAST_INLINE void put_affine(const AffineLanes& found, const float* values, std::size_t lane,
                               std::uint8_t* block) {
  const float inverse = found.inverse[lane];
  const float offset = found.offset[lane];
  std::uint8_t codes[kSmallBlock];
  for (std::size_t j = 0; j < kSmallBlock; ++j) {
    codes[j] =
        static_cast<std::uint8_t>(nearest_within(inverse * (values[j] - offset), 0, Block::kTop));
  }
  put_fp16(block, found.scale[lane]);
  put_fp16(block + Block::kMinimum, -found.minimum[lane]);
  put_codes<Block>(codes, block);
}

template <class Block>
BALLAST_INLINE void quantize_row(const float* values, const float* importance, std::size_t blocks,
                                 std::uint8_t* bytes) {
  const float spread = mean_square(values, blocks * kSmallBlock);
  for (std::size_t first = 0; first < blocks; first += kSideBySide) {
    const std::size_t count = blocks - first < kSideBySide ? blocks - first : kSideBySide;
    const float* group = values + first * kSmallBlock;
    std::uint8_t* out = bytes + first * Block::kBytes;
    FloatLanes x[kSmallBlock];
    FloatLanes weights[kSmallBlock];
    put_side_by_side<kSmallBlock>(group, count, x);
    put_side_by_side<kSmallBlock>(importance + first * kSmallBlock, count, weights);
    weigh(x, spread, weights);
    if constexpr (Block::kHasMinimum) {
      AffineLanes found{};
      search_affine<kSmallBlock>(x, weights, Block::kTop, kWeightedTrials, found);
      for (std::size_t lane = 0; lane < count; ++lane) {
        put_affine<Block>(found, group + lane * kSmallBlock, lane, out + lane * Block::kBytes);
      }
    } else {
      ScaleLanes found{};
      search_scales<kSmallBlock>(x, weights, Block::kHalf, found);
      for (std::size_t lane = 0; lane < count; ++lane) {
        put_scaled<Block>(found, group + lane * kSmallBlock, lane, out + lane * Block::kBytes);
      }
    }
  }
}

}  // namespace

BALLAST_KERNEL void quantize_row_q4_0(const float* values, const float* importance,
                                      std::size_t blocks, std::uint8_t* bytes) {
  quantize_row<Q4Scaled>(values, importance, blocks, bytes);
}

BALLAST_KERNEL void quantize_row_q4_1(const float* values, const float* importance,
                                      std::size_t blocks, std::uint8_t* bytes) {
  quantize_row<Q4Affine>(values, importance, blocks, bytes);
}

BALLAST_KERNEL void quantize_row_q5_0(const float* values, const float* importance,
                                      std::size_t blocks, std::uint8_t* bytes) {
  quantize_row<Q5Scaled>(values, importance, blocks, bytes);
}

BALLAST_KERNEL void quantize_row_q5_1(const float* values, const float* importance,
                                      std::size_t blocks, std::uint8_t* bytes) {
  quantize_row<Q5Affine>(values, importance, blocks, bytes);
}

}  // namespace ballast::formats
