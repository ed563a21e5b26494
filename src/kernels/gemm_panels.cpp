#include "kernels/gemm_panels.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace ballast::kernels {

namespace {

/// What packed panels may take of the second-level cache. Both grow beyond it only for sums that
/// must not be split.
constexpr std::size_t kPanelsA = std::size_t{512} << 10;
constexpr std::size_t kPanelsB = std::size_t{1} << 20;

/// What a team may pack of either operand before it multiplies: enough for tasks to be many.
constexpr std::size_t kTeamPanels = std::size_t{4} << 20;

/// Results that a team's task computes, as far as whole panels go.
constexpr std::size_t kTileRows = 64;
constexpr std::size_t kTileCols = 512;

/// Panels that a team's task packs.
constexpr std::size_t kPackedPanels = 2;

/// Results larger than this do not stay in the caches until they are read.
constexpr std::size_t kStreamed = std::size_t{1} << 20;

std::size_t rounded_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

/// How one product is cut. Its depth depends on the shape alone, and with it the order of the sums;
/// how many rows and columns are packed at a time makes no difference to them.
struct Cut {
  std::size_t depth;
  std::size_t rows;
  std::size_t cols;
};

/// Results that are rounded are summed in one go; others in equal parts of the kernel's best depth.
std::size_t depth_of(const PanelKernel& kernel, const Product& product) {
  const std::size_t k = product.shape.k;
  if (product.c.type != ElementType::fp32) return k;
  const std::size_t parts = (k + kernel.best_depth() - 1) / kernel.best_depth();
  return rounded_up((k + parts - 1) / parts, kernel.shape().step);
}

Cut cut_of(const PanelKernel& kernel, const Product& product, bool shared) {
  const PanelShape shape = kernel.shape();
  const std::size_t depth = depth_of(kernel, product);
  const std::size_t line = shape.padded_depth(depth) * size_of(kernel.type());
  const auto fitting = [&](std::size_t bytes, std::size_t width, std::size_t whole) {
    return std::min(rounded_up(whole, width), std::max(width, bytes / line / width * width));
  };
  return {depth, fitting(shared ? kTeamPanels : kPanelsA, shape.rows, product.shape.m),
          fitting(shared ? kTeamPanels : kPanelsB, shape.cols, product.shape.n)};
}

/// `count` rows of op(a), or columns of op(b), from `first` on, `depth` elements from `start` on.
PanelSource source_of(const Operand& x, Neighbours neighbours, std::size_t first, std::size_t count,
                      std::size_t start, std::size_t depth) {
  const std::size_t offset =
      neighbours == Neighbours::along_depth ? first * x.stride + start : start * x.stride + first;
  return {static_cast<const std::byte*>(x.data) + offset * size_of(x.type),
          x.stride,
          count,
          depth,
          neighbours,
          x.type};
}

std::byte* room_for(Mapping& room, std::size_t bytes) {
  if (room.bytes().size() < bytes) room = Mapping{bytes};
  return room.bytes().data();
}

/// One product on its way through the kernel. Whoever works alone packs what its caches hold and
/// multiplies it; a team packs more at a time, each worker some panels, and then shares out tiles.
class Run {
 public:
  Run(const PanelKernel& kernel, const Product& product, Team* team, Mapping& panels_a,
      Mapping& panels_b)
      : kernel_{kernel},
        product_{product},
        team_{workers_of(team) > 1 ? team : nullptr},
        cut_{cut_of(kernel, product, team_ != nullptr)},
        neighbours_a_{product.transpose_a == Transpose::no ? Neighbours::along_depth
                                                           : Neighbours::across_depth},
        neighbours_b_{product.transpose_b == Transpose::no ? Neighbours::across_depth
                                                           : Neighbours::along_depth},
        panels_a_{room_for(panels_a, bytes_of(std::max(cut_.rows, kernel.shape().rows)))},
        panels_b_{room_for(panels_b, bytes_of(cut_.cols))} {}

  void run() {
    const auto& [m, n, k] = product_.shape;
    for (start_ = 0; start_ < k; start_ += cut_.depth) {
      depth_ = std::min(cut_.depth, k - start_);
      for (std::size_t col = 0; col < n; col += cut_.cols) {
        const std::size_t cols = std::min(cut_.cols, n - col);
        pack_b(col, cols);
        multiply_rows(col, cols);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t bytes_of(std::size_t width) const {
    return width * kernel_.shape().padded_depth(cut_.depth) * size_of(kernel_.type());
  }

  /// `count` rows or columns of an operand from `first` on, packed by `pack` in panels of `width`.
  template <class Pack>
  void pack_panels(std::size_t count, std::size_t width, std::byte* panels, Pack&& pack) const {
    const std::size_t line = kernel_.shape().padded_depth(depth_) * size_of(kernel_.type());
    run_pieces(team_, count, kPackedPanels * width, [&](std::size_t first, std::size_t piece) {
      pack(first, piece, panels + first * line);
    });
  }

  void pack_b(std::size_t col, std::size_t cols) const {
    pack_panels(cols, kernel_.shape().cols, panels_b_,
                [&](std::size_t first, std::size_t count, std::byte* panels) {
                  kernel_.pack_b(
                      source_of(product_.b, neighbours_b_, col + first, count, start_, depth_),
                      panels);
                });
  }

  void pack_a(std::size_t row, std::size_t rows) const {
    pack_panels(rows, kernel_.shape().rows, panels_a_,
                [&](std::size_t first, std::size_t count, std::byte* panels) {
                  kernel_.pack_a(
                      source_of(product_.a, neighbours_a_, row + first, count, start_, depth_),
                      panels);
                });
  }

  /// All rows of the columns whose panels are packed.
  void multiply_rows(std::size_t col, std::size_t cols) {
    const std::size_t m = product_.shape.m;
    std::size_t row = 0;
    if (neighbours_a_ == Neighbours::along_depth && kernel_.reads_rows(product_.a.stride, depth_)) {
      const std::size_t whole = m / kernel_.shape().rows * kernel_.shape().rows;
      const PanelSource rows = source_of(product_.a, neighbours_a_, 0, whole, start_, depth_);
      if (whole != 0) multiply_block(rows.data, rows.stride, 0, whole, col, cols);
      row = whole;
    }
    for (; row < m; row += cut_.rows) {
      const std::size_t rows = std::min(cut_.rows, m - row);
      pack_a(row, rows);
      multiply_block(panels_a_, 0, row, rows, col, cols);
    }
  }

  /// Rows of op(a), packed (a_stride 0) or where they lie, times the packed columns.
  void multiply_block(const std::byte* a, std::size_t a_stride, std::size_t row, std::size_t rows,
                      std::size_t col, std::size_t cols) const {
    if (team_ == nullptr) return multiply_tile(a, a_stride, panels_b_, row, rows, col, cols);
    const PanelShape shape = kernel_.shape();
    const std::size_t size = size_of(kernel_.type());
    const std::size_t line = shape.padded_depth(depth_) * size;
    const std::size_t row_line = a_stride == 0 ? line : a_stride * size;
    const std::size_t high = rounded_up(kTileRows, shape.rows);
    const std::size_t wide = rounded_up(kTileCols, shape.cols);
    const std::size_t down = (rows + high - 1) / high;
    const std::size_t across = (cols + wide - 1) / wide;
    // Down the columns first: who takes one tile after another finds the columns in its cache.
    team_->run(down * across, [&](std::size_t task, std::size_t) {
      const std::size_t r = task % down * high;
      const std::size_t c = task / down * wide;
      multiply_tile(a + r * row_line, a_stride, panels_b_ + c * line, row + r,
                    std::min(high, rows - r), col + c, std::min(wide, cols - c));
    });
  }

  void multiply_tile(const std::byte* a, std::size_t a_stride, const std::byte* b, std::size_t row,
                     std::size_t rows, std::size_t col, std::size_t cols) const {
    const Destination& c = product_.c;
    const std::size_t size = size_of(c.type);
    const bool add = product_.store == Store::add || start_ != 0;
    kernel_.multiply({.a = a,
                      .a_stride = a_stride,
                      .b = b,
                      .m = rows,
                      .n = cols,
                      .depth = depth_,
                      .c = {.data = static_cast<std::byte*>(c.data) + (row * c.stride + col) * size,
                            .stride = c.stride,
                            .type = c.type,
                            .add = add,
                            .stream = !add && start_ + depth_ == product_.shape.k &&
                                      c.rows * c.cols * size > kStreamed,
                            .alpha = product_.alpha}});
  }

  const PanelKernel& kernel_;
  const Product& product_;
  Team* team_;  ///< null: one works alone
  Cut cut_;
  Neighbours neighbours_a_;
  Neighbours neighbours_b_;
  std::byte* panels_a_;
  std::byte* panels_b_;
  std::size_t start_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

bool PanelGemm::is_supported() { return make_avx512_kernel() != nullptr; }

PanelGemm::PanelGemm(Team* team)
    : fp32_{make_avx512_kernel()}, bf16_{make_amx_kernel()}, team_{team} {
  if (fp32_ == nullptr) {
    throw usage_error("this processor has no AVX-512: choose oneDNN or OpenBLAS");
  }
}

std::string PanelGemm::description() const {
  return fmt::format("panels 1 on {}{}{}", fp32_->name(), bf16_ == nullptr ? "" : ", bf16 on ",
                     bf16_ == nullptr ? "" : bf16_->name());
}

void PanelGemm::multiply_by(const PanelKernel& kernel, const Product& product) const {
  Run{kernel, product, team_, panels_a_, panels_b_}.run();
}

}  // namespace ballast::kernels
