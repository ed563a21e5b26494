#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernels/lanes/half.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "kernels/panel/panel_widen.hpp"

namespace ballast::kernels {

namespace {

/// 6 x 16 results take 12 of AVX2's 16 vector registers, and half of those of Arm and AVX-512.
constexpr std::size_t kRows = 6;
constexpr std::size_t kCols = kLanes;

template <std::size_t width>
void pack_floats(const PanelSource& s, float* out) {
  const auto* data = reinterpret_cast<const float*>(s.data);
  const bool along = s.neighbors == Neighbors::along_depth;
  const std::size_t across = along ? s.stride : 1;
  const std::size_t deeper = along ? 1 : s.stride;
  for (std::size_t first = 0; first < s.count; first += width) {
    const std::size_t count = std::min(width, s.count - first);
    for (std::size_t k = 0; k < s.depth; ++k, out += width) {
      const float* from = data + first * across + k * deeper;
      for (std::size_t i = 0; i < count; ++i) out[i] = from[i * across];
      for (std::size_t i = count; i < width; ++i) out[i] = 0.0f;
    }
  }
}

/// [6, 16] results of one panel of op(a) and one of op(b). Not fused: processors without fused
/// multiply-adds would take a call for each, and all have to agree on the bits.
BALLAST_KERNEL void multiply_panels(const float* a, const float* b, std::size_t depth,
                                    float* tile) {
  LaneVector sums[kRows]{};
  LaneVector right;
  for (std::size_t k = 0; k < depth; ++k, a += kRows, b += kCols) {
    __builtin_memcpy(&right, b, sizeof right);
#pragma GCC unroll 6
    for (std::size_t r = 0; r < kRows; ++r) sums[r] += a[r] * right;
  }
  __builtin_memcpy(tile, sums, sizeof sums);
}

/// Results that are neighbors in memory, `at` elements from its start on.
void store_run(const PanelTarget& c, const float* values, std::size_t at, std::size_t count) {
  if (c.type == ElementType::bf16) {
    auto* const out = reinterpret_cast<std::uint16_t*>(c.data) + at;
    for (std::size_t i = 0; i < count; ++i) out[i] = to_bf16(c.alpha * values[i]);
    return;
  }
  auto* const out = reinterpret_cast<float*>(c.data) + at;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = c.alpha * values[i];
    out[i] = c.add ? out[i] + value : value;
  }
}

/// Results of one tile: [kRows, kCols], row-major, of which [m, n] count.
struct Tile {
  const float* values;
  std::size_t m;
  std::size_t n;
};

void store_tile(const PanelTarget& c, const Tile& tile, std::size_t row, std::size_t col) {
  if (c.order == Order::row_major) {
    for (std::size_t r = 0; r < tile.m; ++r) {
      store_run(c, tile.values + r * kCols, (row + r) * c.stride + col, tile.n);
    }
    return;
  }
  float column[kRows];
  for (std::size_t i = 0; i < tile.n; ++i) {
    for (std::size_t r = 0; r < tile.m; ++r) column[r] = tile.values[r * kCols + i];
    store_run(c, column, (col + i) * c.stride + row, tile.m);
  }
}

class PortableKernel final : public PanelKernel {
 public:
  [[nodiscard]] std::string_view name() const override { return "portable"; }
  [[nodiscard]] ElementType type() const override { return ElementType::fp32; }
  [[nodiscard]] PanelShape shape() const override { return {kRows, kCols, 1}; }
  [[nodiscard]] std::size_t best_depth() const override { return 512; }
  [[nodiscard]] bool reads_rows(std::size_t, std::size_t) const override { return false; }

  void pack_a(const PanelSource& source, std::byte* panels) const override {
    pack_as_floats(source, kRows, pack_floats<kRows>, reinterpret_cast<float*>(panels));
  }
  void pack_b(const PanelSource& source, std::byte* panels) const override {
    pack_as_floats(source, kCols, pack_floats<kCols>, reinterpret_cast<float*>(panels));
  }

  void multiply_all(std::span<const PanelBlock> blocks) const override {
    for (const PanelBlock& block : blocks) multiply_block(block);
  }

 private:
  static void multiply_block(const PanelBlock& block) {
    const auto* a = reinterpret_cast<const float*>(block.a);
    const std::size_t b_stride = block.b_stride == 0 ? kCols * block.depth : block.b_stride;
    alignas(64) float values[kRows * kCols];
    for (std::size_t row = 0; row < block.m; row += kRows, a += kRows * block.depth) {
      const auto* b = reinterpret_cast<const float*>(block.b);
      for (std::size_t col = 0; col < block.n; col += kCols, b += b_stride) {
        multiply_panels(a, b, block.depth, values);
        store_tile(block.c,
                   {values, std::min(kRows, block.m - row), std::min(kCols, block.n - col)}, row,
                   col);
      }
    }
  }
};

}  // namespace

std::unique_ptr<PanelKernel> make_portable_kernel() { return std::make_unique<PortableKernel>(); }

std::unique_ptr<PanelKernel> make_panel_kernel(ElementType type) {
  if (type == ElementType::bf16) {
    if (auto kernel = make_amx_kernel()) return kernel;
  }
  if (auto kernel = make_avx512_kernel()) return kernel;
  return make_portable_kernel();
}

}  // namespace ballast::kernels
