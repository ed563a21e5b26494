#include "kernels/panel_kernel.hpp"
#include "kernels/panel_widen.hpp"

#if defined(__x86_64__) && defined(__GNUC__)

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq")

#include "kernels/panel_store.hpp"
#include "kernels/panel_transpose.hpp"

namespace ballast::kernels {

namespace {

/// 12 x 32 results take 24 of the 32 vector registers.
constexpr std::size_t kRows = 12;
constexpr std::size_t kVectors = kTileCols / 16;

/// Up to 16 rows of x, each a column of [depth, width] from `out` on; zeros for the rows that are
/// not there, up to `columns`.
void pack_columns(const float* x, std::size_t stride, std::size_t rows, std::size_t depth,
                  float* out, std::size_t width, std::size_t columns) {
  const __mmask16 written = first_lanes(columns);
  for (std::size_t k = 0; k < depth; k += 16) {
    const __mmask16 there = first_lanes(depth - k);
    Square r;
    for (std::size_t i = 0; i < 16; ++i) {
      r[i] =
          i < rows ? _mm512_maskz_loadu_epi32(there, x + i * stride + k) : _mm512_setzero_si512();
    }
    transpose(r);
    for (std::size_t i = 0; i < std::min<std::size_t>(16, depth - k); ++i) {
      _mm512_mask_storeu_epi32(out + (k + i) * width, written, r[i]);
    }
  }
}

/// [depth, count] of x become [depth, width], with zeros where there is nothing.
template <std::size_t width>
void pack_rows(const float* x, std::size_t stride, std::size_t count, std::size_t depth,
               float* out) {
  constexpr std::size_t kAhead = 8;
  const __mmask16 low = first_lanes(count);
  const __mmask16 high = first_lanes(count > 16 ? count - 16 : 0);
  for (std::size_t k = 0; k < depth; ++k, x += stride, out += width) {
    _mm_prefetch(reinterpret_cast<const char*>(x + kAhead * stride), _MM_HINT_T0);
    _mm512_mask_storeu_ps(out, first_lanes(width), _mm512_maskz_loadu_ps(low, x));
    if constexpr (width > 16) _mm512_storeu_ps(out + 16, _mm512_maskz_loadu_ps(high, x + 16));
  }
}

/// Panels of `width`: [depth, width], zeros where the source has fewer.
template <std::size_t width>
void pack_floats(const PanelSource& s, float* out) {
  const auto* data = reinterpret_cast<const float*>(s.data);
  for (std::size_t first = 0; first < s.count; first += width, out += width * s.depth) {
    const std::size_t count = std::min(width, s.count - first);
    if (s.neighbours == Neighbours::across_depth) {
      pack_rows<width>(data + first, s.stride, count, s.depth, out);
      continue;
    }
    for (std::size_t column = 0; column < width; column += 16) {
      const std::size_t rows = count > column ? std::min<std::size_t>(16, count - column) : 0;
      pack_columns(data + (first + column) * s.stride, s.stride, rows, s.depth, out + column, width,
                   std::min<std::size_t>(16, width - column));
    }
  }
}

template <std::size_t width>
void pack_panels(const PanelSource& s, std::byte* panels) {
  pack_as_floats(s, width, pack_floats<width>, reinterpret_cast<float*>(panels));
}

/// [12, 32] results of one panel of op(a) and one of op(b).
void multiply_panels(const float* a, const float* b, std::size_t depth, float* tile) {
  __m512 sums[kRows][kVectors];
#pragma GCC unroll 12
  for (auto& row : sums) {
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  }
  for (std::size_t k = 0; k < depth; ++k, a += kRows, b += kTileCols) {
    const __m512 left = _mm512_load_ps(b);
    const __m512 right = _mm512_load_ps(b + 16);
    _mm_prefetch(reinterpret_cast<const char*>(b + 8 * kTileCols), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(b + 8 * kTileCols + 16), _MM_HINT_T0);
#pragma GCC unroll 12
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512 factor = _mm512_set1_ps(a[r]);
      sums[r][0] = _mm512_fmadd_ps(factor, left, sums[r][0]);
      sums[r][1] = _mm512_fmadd_ps(factor, right, sums[r][1]);
    }
  }
#pragma GCC unroll 12
  for (std::size_t r = 0; r < kRows; ++r) {
    _mm512_store_ps(tile + r * kTileCols, sums[r][0]);
    _mm512_store_ps(tile + r * kTileCols + 16, sums[r][1]);
  }
}

class Avx512Kernel final : public PanelKernel {
 public:
  [[nodiscard]] std::string_view name() const override { return "avx512"; }
  [[nodiscard]] ElementType type() const override { return ElementType::fp32; }
  [[nodiscard]] PanelShape shape() const override { return {kRows, kTileCols, 1}; }
  [[nodiscard]] std::size_t best_depth() const override { return 704; }
  [[nodiscard]] bool reads_rows(std::size_t, std::size_t) const override { return false; }

  void pack_a(const PanelSource& source, std::byte* panels) const override {
    pack_panels<kRows>(source, panels);
  }
  void pack_b(const PanelSource& source, std::byte* panels) const override {
    pack_panels<kTileCols>(source, panels);
  }

  /// A panel of op(a) stays in the first-level cache while those of op(b) pass by.
  void multiply(const PanelBlock& block) const override {
    const auto* a = reinterpret_cast<const float*>(block.a);
    alignas(64) float values[kRows * kTileCols];
    const std::size_t b_stride = block.b_stride == 0 ? kTileCols * block.depth : block.b_stride;
    for (std::size_t row = 0; row < block.m; row += kRows, a += kRows * block.depth) {
      const auto* b = reinterpret_cast<const float*>(block.b);
      for (std::size_t col = 0; col < block.n; col += kTileCols, b += b_stride) {
        multiply_panels(a, b, block.depth, values);
        store_tile(block.c,
                   {values, std::min(kRows, block.m - row), std::min(kTileCols, block.n - col)},
                   row, col);
      }
    }
    _mm_sfence();
  }
};

}  // namespace

}  // namespace ballast::kernels

#pragma GCC pop_options

namespace ballast::kernels {

std::unique_ptr<PanelKernel> make_avx512_kernel() {
  if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512dq")) {
    return nullptr;
  }
  return std::make_unique<Avx512Kernel>();
}

}  // namespace ballast::kernels

#else

namespace ballast::kernels {

std::unique_ptr<PanelKernel> make_avx512_kernel() { return nullptr; }

}  // namespace ballast::kernels

#endif
