#include "kernels/lanes/isa.hpp"
#include "kernels/panel/panel_kernel.hpp"

#if defined(__x86_64__) && defined(__GNUC__)

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

BALLAST_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,amx-tile,amx-bf16")

#include "kernels/panel/panel_amx_pack.hpp"
#include "kernels/panel/panel_store.hpp"

namespace ballast::kernels {

namespace {

/// Fewer panels of op(b) than this don't fetch the next rows of op(a) ahead.
constexpr std::size_t kFetching = 8;

struct alignas(kLine) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t column_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

/// All tile registers in full size, while it lives.
class Tiles {
 public:
  Tiles() {
    TileConfig config;
    std::fill_n(config.column_bytes, 8, std::uint16_t{kLine});
    std::fill_n(config.rows, 8, std::uint8_t{kTileRows});
    _tile_loadconfig(&config);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

/// How to walk through op(a): in elements.
struct Walk {
  std::size_t row;    ///< from one row of a tile to the next
  std::size_t tile;   ///< from the upper tile to the lower
  std::size_t step;   ///< along the depth
  std::size_t panel;  ///< to the next panel
};

Walk walk_of(const PanelBlock& block, std::size_t steps) {
  if (block.a_stride == 0) return {kStep, kTileHalves, kStepHalves, steps * kStepHalves};
  return {block.a_stride, kTileRows * block.a_stride, kStep, kRows * block.a_stride};
}

/// What comes next, fetched a few lines with each step: the rows that the next panel of op(a) will
/// read, and where the results go.
class Prefetch {
 public:
  Prefetch(const Half* rows, std::size_t stride, std::size_t steps, std::size_t panels)
      : rows_{rows}, stride_{stride}, steps_{steps}, share_{(kRows + panels - 1) / panels} {}

  /// Before the steps whose results go to `rows` rows from `target` on, `bytes` from row to row.
  void start(const std::byte* target, std::size_t bytes, std::size_t rows) {
    target_ = target;
    target_bytes_ = bytes;
    target_rows_ = rows;
  }

  void step() {
    constexpr std::size_t kRowsAStep = 2;
    for (std::size_t i = 0; i < kRowsAStep && target_rows_ > 0; ++i, --target_rows_) {
      __builtin_prefetch(target_, 1, 2);
      __builtin_prefetch(target_ + kLine, 1, 2);
      target_ += target_bytes_;
    }
    if (rows_ == nullptr) return;
    for (std::size_t i = 0; i < share_ && line_ < kRows * steps_; ++i, ++line_) {
      _mm_prefetch(
          reinterpret_cast<const char*>(rows_ + line_ / steps_ * stride_ + line_ % steps_ * kStep),
          _MM_HINT_T1);
    }
  }

 private:
  const Half* rows_;
  std::size_t stride_;
  std::size_t steps_;
  std::size_t share_;
  std::size_t line_ = 0;
  const std::byte* target_ = nullptr;
  std::size_t target_bytes_ = 0;
  std::size_t target_rows_ = 0;
};

/// Where the sums of a block start and end: at zero and in a tile of their own, or right in the
/// block's target.
struct Sums {
  float* data;
  std::size_t stride;
  bool load;
};

/// [32, 32] results of one panel of op(a) and one of op(b).
void multiply_panels(const Half* a, const Walk& walk, const Half* b, std::size_t steps,
                     Prefetch& prefetch, const Sums& sums) {
  const std::size_t row_bytes = sums.stride * sizeof(float);
  float* const lower = sums.data + kTileRows * sums.stride;
  if (sums.load) {
    _tile_loadd(0, sums.data, row_bytes);
    _tile_loadd(1, sums.data + 16, row_bytes);
    _tile_loadd(2, lower, row_bytes);
    _tile_loadd(3, lower + 16, row_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (std::size_t k = 0; k < steps; ++k, a += walk.step, b += kStepHalves) {
    _tile_loadd(6, b, kLine);
    _tile_loadd(4, a, walk.row * sizeof(Half));
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + kTileHalves, kLine);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a + walk.tile, walk.row * sizeof(Half));
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    prefetch.step();
  }
  _tile_stored(0, sums.data, row_bytes);
  _tile_stored(1, sums.data + 16, row_bytes);
  _tile_stored(2, lower, row_bytes);
  _tile_stored(3, lower + 16, row_bytes);
}

/// Whether tiles can be stored where they go, and sums go on from what is there.
bool is_direct(const PanelTarget& c) {
  return c.type == ElementType::fp32 && c.alpha == 1.0f && !c.stream && c.order == Order::row_major;
}

class AmxKernel final : public PanelKernel {
 public:
  [[nodiscard]] std::string_view name() const override { return "amx"; }
  [[nodiscard]] ElementType type() const override { return ElementType::bf16; }
  [[nodiscard]] PanelShape shape() const override { return {kRows, kTileCols, kStep}; }
  [[nodiscard]] std::size_t best_depth() const override { return 1536; }

  [[nodiscard]] bool reads_rows(std::size_t stride, std::size_t depth) const override {
    // Rows a multiple of a page apart would share a few lines of the first-level cache.
    return depth % kStep == 0 && stride * sizeof(Half) % 4096 != 0;
  }

  [[nodiscard]] std::size_t few_rows() const override { return 256; }

  void pack_a(const PanelSource& source, std::byte* panels) const override {
    const bool along = source.neighbors == Neighbors::along_depth;
    pack_panels(source, along ? pack_a_along : pack_a_across, panels);
  }

  void pack_b(const PanelSource& source, std::byte* panels) const override {
    const bool along = source.neighbors == Neighbors::along_depth;
    pack_panels(source, along ? pack_b_along : pack_b_across, panels);
  }

  void multiply_all(std::span<const PanelBlock> blocks) const override {
    const Tiles tiles;
    for (const PanelBlock& block : blocks) multiply_block(block);
  }

 private:
  struct Part {
    std::size_t row, col, rows, cols;
  };

  static void prefetch_target(Prefetch& prefetch, const PanelTarget& c, const Part& part) {
    const std::size_t size = size_of(c.type);
    const bool by_row = c.order == Order::row_major;
    const std::size_t first =
        by_row ? part.row * c.stride + part.col : part.col * c.stride + part.row;
    prefetch.start(c.data + first * size, c.stride * size, by_row ? part.rows : part.cols);
  }

  /// While there are Tiles.
  static void multiply_block(const PanelBlock& block) {
    const std::size_t steps = (block.depth + kStep - 1) / kStep;
    const std::size_t b_panels = (block.n + kTileCols - 1) / kTileCols;
    const std::size_t b_stride = block.b_stride == 0 ? steps * kStepHalves : block.b_stride;
    const bool direct = is_direct(block.c);
    const Walk walk = walk_of(block, steps);
    const auto* a = reinterpret_cast<const Half*>(block.a);
    const auto* b = reinterpret_cast<const Half*>(block.b);
    alignas(kLine) float values[kRows * kTileCols];
    for (std::size_t row = 0; row < block.m; row += kRows, a += walk.panel) {
      // A few panels would leave no time for it, and their rows were written a moment ago.
      const bool has_next = block.a_stride != 0 && row + kRows < block.m && b_panels >= kFetching;
      Prefetch prefetch{has_next ? a + walk.panel : nullptr, walk.row, steps, b_panels};
      for (std::size_t panel = 0; panel < b_panels; ++panel) {
        const std::size_t col = panel * kTileCols;
        const std::size_t rows = std::min(kRows, block.m - row);
        const std::size_t cols = std::min(kTileCols, block.n - col);
        if (!block.c.stream) prefetch_target(prefetch, block.c, {row, col, rows, cols});
        const Half* const panel_b = b + panel * b_stride;
        if (direct && rows == kRows && cols == kTileCols) {
          float* const c = reinterpret_cast<float*>(block.c.data) + row * block.c.stride + col;
          multiply_panels(a, walk, panel_b, steps, prefetch, {c, block.c.stride, block.c.add});
        } else {
          multiply_panels(a, walk, panel_b, steps, prefetch, {values, kTileCols, false});
          store_tile(block.c, {values, rows, cols}, row, col);
        }
      }
    }
    if (block.c.stream) _mm_sfence();
  }
};

/// The kernel grants the tile registers' state on request (Linux 5.16 and later).
bool tiles_are_granted() {
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

}  // namespace ballast::kernels

BALLAST_TARGET_END

#include <cpuid.h>

namespace ballast::kernels {

namespace {

bool processor_has_tiles() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  constexpr unsigned kBf16 = 1u << 22;
  constexpr unsigned kTile = 1u << 24;
  return (edx & kBf16) != 0 && (edx & kTile) != 0 && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

}  // namespace

std::unique_ptr<PanelKernel> make_amx_kernel() {
  if (!processor_has_tiles() || !tiles_are_granted()) return nullptr;
  return std::make_unique<AmxKernel>();
}

}  // namespace ballast::kernels

#else

namespace ballast::kernels {

std::unique_ptr<PanelKernel> make_amx_kernel() { return nullptr; }

}  // namespace ballast::kernels

#endif
