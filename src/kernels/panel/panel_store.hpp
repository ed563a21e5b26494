#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <immintrin.h>

#include "kernels/lanes/half.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "kernels/panel/panel_transpose.hpp"

// Included between a kernel's BALLAST_TARGET_BEGIN and _END: code of that instruction set.
namespace ballast::kernels {

inline constexpr std::size_t kTileCols = 32;

/// Results of one tile: [rows, kTileCols], row-major, of which [m, n] count.
struct Tile {
  const float* values;
  std::size_t m;
  std::size_t n;
};

namespace {

__mmask16 first_lanes(std::size_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFFu : (1u << count) - 1u);
}

/// 16 results or the first of them, as fp32.
void store_floats(const PanelTarget& c, __m512 value, float* out, std::size_t count) {
  const __mmask16 mask = first_lanes(count);
  value = _mm512_mul_ps(value, _mm512_set1_ps(c.alpha));
  if (c.add) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, out));
  if (c.stream && count >= 16 && reinterpret_cast<std::uintptr_t>(out) % 64 == 0) {
    _mm512_stream_ps(out, value);
  } else {
    _mm512_mask_storeu_ps(out, mask, value);
  }
}

/// To nearest even, as to_bf16 has it.
__m256i rounded_to_bf16(__m512 value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  const __m512i high = _mm512_srli_epi32(_mm512_mask_mov_epi32(up, nan, quiet), 16);
  return _mm512_maskz_cvtepi32_epi16(0xFFFF, high);
}

void store_halves(const PanelTarget& c, const float* row, std::uint16_t* out, std::size_t n) {
  const __m512 alpha = _mm512_set1_ps(c.alpha);
  const __m256i low = rounded_to_bf16(_mm512_mul_ps(_mm512_loadu_ps(row), alpha));
  const __m256i high = rounded_to_bf16(_mm512_mul_ps(_mm512_loadu_ps(row + 16), alpha));
  const __m512i both = _mm512_maskz_inserti64x4(0xFF, _mm512_castsi256_si512(low), high, 1);
  if (n == kTileCols && c.stream && reinterpret_cast<std::uintptr_t>(out) % 64 == 0) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(out), both);
  } else {
    std::memcpy(out, &both, n * sizeof *out);
  }
}

/// A tile's rows as columns. values: [kTileCols, kTileCols].
Tile turned(const Tile& tile, float* values) {
  constexpr std::size_t kSide = 16;
  for (std::size_t r = 0; r < tile.m; r += kSide) {
    for (std::size_t c = 0; c < kTileCols; c += kSide) {
      Square square{};
      for (std::size_t i = 0; i < std::min(kSide, tile.m - r); ++i) {
        square[i] = _mm512_loadu_si512(tile.values + (r + i) * kTileCols + c);
      }
      transpose(square);
      for (std::size_t i = 0; i < kSide; ++i) {
        _mm512_store_si512(values + (c + i) * kTileCols + r, square[i]);
      }
    }
  }
  return {values, tile.n, tile.m};
}

/// Rows and columns here are those of the memory.
void store_rows(const PanelTarget& c, const Tile& tile, std::size_t row, std::size_t col) {
  for (std::size_t r = 0; r < tile.m; ++r) {
    const float* values = tile.values + r * kTileCols;
    const std::size_t at = (row + r) * c.stride + col;
    if (c.type == ElementType::bf16) {
      store_halves(c, values, reinterpret_cast<std::uint16_t*>(c.data) + at, tile.n);
      continue;
    }
    float* out = reinterpret_cast<float*>(c.data) + at;
    store_floats(c, _mm512_loadu_ps(values), out, tile.n);
    if (tile.n > 16) store_floats(c, _mm512_loadu_ps(values + 16), out + 16, tile.n - 16);
  }
}

/// Puts a tile where its block's rows and columns from `row` and `col` on go.
void store_tile(const PanelTarget& c, const Tile& tile, std::size_t row, std::size_t col) {
  if (c.order == Order::row_major) return store_rows(c, tile, row, col);
  alignas(64) float values[kTileCols * kTileCols];
  store_rows(c, turned(tile, values), col, row);
}

}  // namespace

}  // namespace ballast::kernels
