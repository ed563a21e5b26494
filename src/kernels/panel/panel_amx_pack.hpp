#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>

#include "kernels/panel/panel_kernel.hpp"
#include "kernels/panel/panel_transpose.hpp"

// Packs operands for AMX tiles. Included between the kernel's BALLAST_TARGET_BEGIN and _END, so
// that it becomes code of that instruction set.
namespace ballast::kernels {

namespace {

using Half = std::uint16_t;

/// A tile has 16 rows of 64 bytes: 16 x 32 of op(a), 16 pairs of rows x 16 columns of op(b), or
/// 16 x 16 results. A block of 2 x 2 tiles of results needs all eight tile registers.
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kStep = 32;
constexpr std::size_t kRows = 2 * kTileRows;
constexpr std::size_t kTileHalves = kTileRows * kStep;
/// Elements of both tiles of a panel's step.
constexpr std::size_t kStepHalves = 2 * kTileHalves;
constexpr std::size_t kLine = 64;

void store(const Square& r, Half* out) {
  for (std::size_t i = 0; i < 16; ++i) _mm512_store_si512(out + i * kStep, r[i]);
}

/// Rows 2p and 2p + 1 of x: 32 columns, element by element in turn; the first 16 columns in `low`.
void interleave(const Half* x, std::size_t stride, __m512i& low, __m512i& high) {
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  const __m512i even = _mm512_loadu_si512(x);
  const __m512i odd = _mm512_loadu_si512(x + stride);
  const __m512i lanes_low = _mm512_unpacklo_epi16(even, odd);
  const __m512i lanes_high = _mm512_unpackhi_epi16(even, odd);
  low = _mm512_permutex2var_epi64(lanes_low, first, lanes_high);
  high = _mm512_permutex2var_epi64(lanes_low, second, lanes_high);
}

// One step of a panel: 32 of its rows or columns, 32 deep. x: [32, 32] with `stride`.

void pack_a_along(const Half* x, std::size_t stride, Half* out) {
  for (std::size_t i = 0; i < kRows; ++i) {
    _mm512_store_si512(out + i * kStep, _mm512_loadu_si512(x + i * stride));
  }
}

void pack_a_across(const Half* x, std::size_t stride, Half* out) {
  Square low;
  Square high;
  for (std::size_t p = 0; p < 16; ++p) interleave(x + 2 * p * stride, stride, low[p], high[p]);
  transpose(low);
  store(low, out);
  transpose(high);
  store(high, out + kTileHalves);
}

void pack_b_along(const Half* x, std::size_t stride, Half* out) {
  for (std::size_t tile = 0; tile < 2; ++tile, x += kTileRows * stride, out += kTileHalves) {
    Square r;
    for (std::size_t i = 0; i < 16; ++i) r[i] = _mm512_loadu_si512(x + i * stride);
    transpose(r);
    store(r, out);
  }
}

void pack_b_across(const Half* x, std::size_t stride, Half* out) {
  for (std::size_t p = 0; p < 16; ++p, out += kStep) {
    __m512i low;
    __m512i high;
    interleave(x + 2 * p * stride, stride, low, high);
    _mm512_store_si512(out, low);
    _mm512_store_si512(out + kTileHalves, high);
  }
}

using PackStep = void (*)(const Half* x, std::size_t stride, Half* out);

/// The step at the edge of an operand: what is there, and zeros.
void pack_edge(const PanelSource& s, std::size_t first, std::size_t depth, PackStep pack,
               Half* out) {
  alignas(kLine) Half square[kRows * kStep] = {};
  const auto* data = reinterpret_cast<const Half*>(s.data);
  const std::size_t count = std::min(kRows, s.count - first);
  const std::size_t deep = std::min(kStep, s.depth - depth);
  const bool along = s.neighbors == Neighbors::along_depth;
  for (std::size_t r = 0; r < (along ? count : deep); ++r) {
    const Half* row =
        along ? data + (first + r) * s.stride + depth : data + (depth + r) * s.stride + first;
    std::memcpy(square + r * kStep, row, (along ? deep : count) * sizeof(Half));
  }
  pack(square, kStep, out);
}

/// Steps are the outer loop if neighbors lie across the depth, so that memory is read in order.
void pack_panels(const PanelSource& s, PackStep pack, std::byte* panels) {
  auto* out = reinterpret_cast<Half*>(panels);
  const auto* data = reinterpret_cast<const Half*>(s.data);
  const std::size_t steps = (s.depth + kStep - 1) / kStep;
  const std::size_t count = (s.count + kRows - 1) / kRows;
  const bool along = s.neighbors == Neighbors::along_depth;
  const auto pack_one = [&](std::size_t panel, std::size_t step) {
    const std::size_t first = panel * kRows;
    const std::size_t depth = step * kStep;
    Half* const to = out + (panel * steps + step) * kStepHalves;
    if (first + kRows > s.count || depth + kStep > s.depth) {
      return pack_edge(s, first, depth, pack, to);
    }
    pack(along ? data + first * s.stride + depth : data + depth * s.stride + first, s.stride, to);
  };
  if (along) {
    for (std::size_t panel = 0; panel < count; ++panel) {
      for (std::size_t step = 0; step < steps; ++step) pack_one(panel, step);
    }
  } else {
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t panel = 0; panel < count; ++panel) pack_one(panel, step);
    }
  }
}

}  // namespace

}  // namespace ballast::kernels
