#include "kernels/lanes/isa.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "kernels/panel/panel_widen.hpp"

#if defined(__x86_64__) && defined(__GNUC__)

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>

BALLAST_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq")

#include "kernels/panel/panel_store.hpp"
#include "kernels/panel/panel_transpose.hpp"

namespace ballast::kernels {

namespace {

/// 12 x 32 results take 24 of the 32 vector registers.
constexpr std::size_t kRows = 12;
constexpr std::size_t kVectors = kTileCols / 16;

/// Sixteen steps of `columns` rows of x, each a column of [16, width] from `out` on.
template <std::size_t columns, std::size_t width>
void pack_square(const float* x, std::size_t stride, float* out) {
  Square r;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) {
    r[i] = i < columns ? _mm512_loadu_si512(x + i * stride) : _mm512_setzero_si512();
  }
  transpose(r);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) {
    _mm512_mask_storeu_epi32(out + i * width, first_lanes(columns), r[i]);
  }
}

/// The same of fewer rows or steps: zeros for the rows that are not there, up to `columns`.
template <std::size_t columns, std::size_t width>
void pack_part(const float* x, std::size_t stride, std::size_t rows, std::size_t steps,
               float* out) {
  Square r;
  for (std::size_t i = 0; i < 16; ++i) {
    r[i] = i < rows ? _mm512_maskz_loadu_epi32(first_lanes(steps), x + i * stride)
                    : _mm512_setzero_si512();
  }
  transpose(r);
  for (std::size_t i = 0; i < steps; ++i) {
    _mm512_mask_storeu_epi32(out + i * width, first_lanes(columns), r[i]);
  }
}

/// Up to `columns` rows of x, each a column of [depth, width] from `out` on.
template <std::size_t columns, std::size_t width>
void pack_columns(const float* x, std::size_t stride, std::size_t rows, std::size_t depth,
                  float* out) {
  for (std::size_t k = 0; k < depth; k += 16) {
    if (rows >= columns && k + 16 <= depth) {
      pack_square<columns, width>(x + k, stride, out + k * width);
    } else {
      pack_part<columns, width>(x + k, stride, std::min(rows, columns),
                                std::min<std::size_t>(16, depth - k), out + k * width);
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
    if (s.neighbors == Neighbors::across_depth) {
      pack_rows<width>(data + first, s.stride, count, s.depth, out);
      continue;
    }
    const float* const rows = data + first * s.stride;
    pack_columns<std::min<std::size_t>(16, width), width>(rows, s.stride, count, s.depth, out);
    if constexpr (width > 16) {
      pack_columns<width - 16, width>(rows + 16 * s.stride, s.stride, count > 16 ? count - 16 : 0,
                                      s.depth, out + 16);
    }
  }
}

template <std::size_t width>
void pack_panels(const PanelSource& s, std::byte* panels) {
  pack_as_floats(s, width, pack_floats<width>, reinterpret_cast<float*>(panels));
}

/// Where the sums of a block go: to a tile of their own, or right to the block's target.
struct Sums {
  float* data;
  std::size_t stride;
  bool add;
};

/// Where the elements of a panel of op(a) are: one column after the other ...
struct PackedRows {
  const float* column;

  explicit PackedRows(const float* a, std::size_t) : column{a} {}
  [[nodiscard]] float operator[](std::size_t row) const { return column[row]; }
  void advance() { column += kRows; }
};

/// ... or in rows of their own. Four pointers reach 12 rows without arithmetic.
struct RowsInPlace {
  static constexpr std::size_t kReach = 3;
  const float* first[kRows / kReach];
  std::size_t stride;

  explicit RowsInPlace(const float* a, std::size_t a_stride) : stride{a_stride} {
    for (std::size_t i = 0; i < kRows / kReach; ++i) first[i] = a + i * kReach * stride;
  }
  [[nodiscard]] float operator[](std::size_t row) const {
    return first[row / kReach][row % kReach * stride];
  }
  void advance() {
    for (const float*& row : first) ++row;
  }
};

/// [12, 32] results of one panel of op(a) and one of op(b).
template <class Rows>
void multiply_panels(Rows a, const float* b, std::size_t depth, const Sums& target) {
  __m512 sums[kRows][kVectors];
#pragma GCC unroll 12
  for (auto& row : sums) {
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  }
  for (std::size_t k = 0; k < depth; ++k, a.advance(), b += kTileCols) {
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
  float* row = target.data;
#pragma GCC unroll 12
  for (std::size_t r = 0; r < kRows; ++r, row += target.stride) {
    if (target.add) {
      sums[r][0] = _mm512_add_ps(sums[r][0], _mm512_loadu_ps(row));
      sums[r][1] = _mm512_add_ps(sums[r][1], _mm512_loadu_ps(row + 16));
    }
    _mm512_storeu_ps(row, sums[r][0]);
    _mm512_storeu_ps(row + 16, sums[r][1]);
  }
}

/// Whether sums can be stored where they go as they are.
bool is_direct(const PanelTarget& c) {
  return c.type == ElementType::fp32 && c.alpha == 1.0f && !c.stream && c.order == Order::row_major;
}

class Avx512Kernel final : public PanelKernel {
 public:
  [[nodiscard]] std::string_view name() const override { return "avx512"; }
  [[nodiscard]] ElementType type() const override { return ElementType::fp32; }
  [[nodiscard]] PanelShape shape() const override { return {kRows, kTileCols, 1}; }
  [[nodiscard]] std::size_t best_depth() const override { return 704; }
  [[nodiscard]] bool reads_rows(std::size_t stride, std::size_t) const override {
    // Rows further apart cost more in pages and cache sets than packing them.
    constexpr std::size_t kNear = 512;
    return stride < kNear;
  }

  void pack_a(const PanelSource& source, std::byte* panels) const override {
    pack_panels<kRows>(source, panels);
  }
  void pack_b(const PanelSource& source, std::byte* panels) const override {
    pack_panels<kTileCols>(source, panels);
  }

  void multiply_all(std::span<const PanelBlock> blocks) const override {
    for (const PanelBlock& block : blocks) {
      block.a_stride == 0 ? multiply_block<PackedRows>(block) : multiply_block<RowsInPlace>(block);
    }
  }

 private:
  /// A panel of op(a) stays in the first-level cache while those of op(b) pass by.
  template <class Rows>
  static void multiply_block(const PanelBlock& block) {
    const bool direct = is_direct(block.c);
    const std::size_t panel = kRows * (block.a_stride == 0 ? block.depth : block.a_stride);
    const auto* a = reinterpret_cast<const float*>(block.a);
    alignas(64) float values[kRows * kTileCols];
    const std::size_t b_stride = block.b_stride == 0 ? kTileCols * block.depth : block.b_stride;
    for (std::size_t row = 0; row < block.m; row += kRows, a += panel) {
      const auto* b = reinterpret_cast<const float*>(block.b);
      for (std::size_t col = 0; col < block.n; col += kTileCols, b += b_stride) {
        const std::size_t rows = std::min(kRows, block.m - row);
        const std::size_t cols = std::min(kTileCols, block.n - col);
        if (direct && rows == kRows && cols == kTileCols) {
          float* const c = reinterpret_cast<float*>(block.c.data) + row * block.c.stride + col;
          multiply_panels(Rows{a, block.a_stride}, b, block.depth,
                          {c, block.c.stride, block.c.add});
        } else {
          multiply_panels(Rows{a, block.a_stride}, b, block.depth, {values, kTileCols, false});
          store_tile(block.c, {values, rows, cols}, row, col);
        }
      }
    }
    if (block.c.stream) _mm_sfence();
  }
};

}  // namespace

}  // namespace ballast::kernels

BALLAST_TARGET_END

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
