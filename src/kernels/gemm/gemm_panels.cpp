#include "kernels/gemm/gemm_panels.hpp"

#include <algorithm>
#include <span>

#include "base/error.hpp"

namespace ballast::kernels {

namespace {

/// What packed panels may take of the second-level cache. Both grow beyond it only for sums that
/// must not be split.
constexpr std::size_t kPanelsA = std::size_t{512} << 10;
constexpr std::size_t kPanelsB = std::size_t{1} << 20;

/// Rows that a team's task multiplies at most, and at least where that leaves tasks for all.
constexpr std::size_t kTaskRows = 256;
constexpr std::size_t kFewestTaskRows = 64;

/// Panels that a team's task packs.
constexpr std::size_t kPackedPanels = 4;

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

Cut cut_of(const PanelKernel& kernel, const Product& product) {
  const PanelShape shape = kernel.shape();
  const std::size_t depth = depth_of(kernel, product);
  const std::size_t line = shape.padded_depth(depth) * size_of(kernel.type());
  const auto fitting = [&](std::size_t bytes, std::size_t width, std::size_t whole) {
    return std::min(rounded_up(whole, width), std::max(width, bytes / line / width * width));
  };
  return {depth, fitting(kPanelsA, shape.rows, product.shape.m),
          fitting(kPanelsB, shape.cols, product.shape.n)};
}

/// `count` rows of op(a), or columns of op(b), from `first` on, `depth` elements from `start` on.
PanelSource source_of(const Operand& x, Neighbors neighbors, std::size_t first, std::size_t count,
                      std::size_t start, std::size_t depth) {
  const std::size_t offset =
      neighbors == Neighbors::along_depth ? first * x.stride + start : start * x.stride + first;
  return {static_cast<const std::byte*>(x.data) + offset * size_of(x.type),
          x.stride,
          count,
          depth,
          neighbors,
          x.type};
}

std::byte* room_for(Mapping& room, std::size_t bytes) {
  if (room.bytes().size() < bytes) room = Mapping{bytes};
  return room.bytes().data();
}

/// Rows that one task multiplies.
std::size_t task_rows_of(const PanelKernel& kernel, std::size_t m, std::size_t workers) {
  if (workers == 1) return m;
  // So many tasks a worker even out what workers of unequal speed do.
  constexpr std::size_t kTasks = 4;
  return rounded_up(std::clamp(m / (kTasks * workers), kFewestTaskRows, kTaskRows),
                    kernel.shape().rows);
}

/// The product whose result is the transpose of this one's.
Product transposed(const Product& product) {
  const auto other = [](Transpose x) {
    return x == Transpose::no ? Transpose::yes : Transpose::no;
  };
  Product turned = product;
  turned.shape = {product.shape.n, product.shape.m, product.shape.k};
  turned.a = product.b;
  turned.transpose_a = other(product.transpose_b);
  turned.b = product.a;
  turned.transpose_b = other(product.transpose_a);
  return turned;
}

/// One product on its way through the kernel: columns are packed as far as the caches hold them,
/// by all together; then each task multiplies some rows by them, which it packs for itself.
class Run {
 public:
  /// `order`: in which the rows and columns of the product lie in its destination.
  Run(const PanelKernel& kernel, const Product& product, Order order, Team* team,
      std::span<Mapping> panels_a, Mapping& panels_b)
      : kernel_{kernel},
        product_{product},
        order_{order},
        team_{team},
        cut_{cut_of(kernel, product)},
        task_rows_{task_rows_of(kernel, product.shape.m, workers_of(team))},
        neighbors_a_{product.transpose_a == Transpose::no ? Neighbors::along_depth
                                                          : Neighbors::across_depth},
        neighbors_b_{product.transpose_b == Transpose::no ? Neighbors::across_depth
                                                          : Neighbors::along_depth},
        panels_a_{panels_a},
        panels_b_{room_for(panels_b, bytes_of(cut_.cols))} {
    const std::size_t packed = rounded_up(std::min(task_rows_, cut_.rows), kernel.shape().rows);
    for (Mapping& room : panels_a) room_for(room, bytes_of(packed));
  }

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

  void pack_b(std::size_t col, std::size_t cols) const {
    const std::size_t line = kernel_.shape().padded_depth(depth_) * size_of(kernel_.type());
    run_pieces(team_, cols, kPackedPanels * kernel_.shape().cols,
               [&](std::size_t first, std::size_t count) {
                 kernel_.pack_b(
                     source_of(product_.b, neighbors_b_, col + first, count, start_, depth_),
                     panels_b_ + first * line);
               });
  }

  /// All rows of the columns whose panels are packed.
  void multiply_rows(std::size_t col, std::size_t cols) const {
    const std::size_t m = product_.shape.m;
    run_tasks(team_, (m + task_rows_ - 1) / task_rows_, [&](std::size_t task, std::size_t worker) {
      const std::size_t row = task * task_rows_;
      multiply_task(row, std::min(task_rows_, m - row), col, cols, panels_a_[worker]);
    });
  }

  /// Rows of op(a), where they lie as far as the kernel reads them there, the rest packed.
  void multiply_task(std::size_t row, std::size_t rows, std::size_t col, std::size_t cols,
                     Mapping& room) const {
    const std::size_t end = row + rows;
    if (neighbors_a_ == Neighbors::along_depth && kernel_.reads_rows(product_.a.stride, depth_)) {
      const std::size_t whole = rows / kernel_.shape().rows * kernel_.shape().rows;
      const PanelSource lying = source_of(product_.a, neighbors_a_, row, whole, start_, depth_);
      if (whole != 0) multiply_block(lying.data, lying.stride, row, whole, col, cols);
      row += whole;
    }
    std::byte* const panels = room.bytes().data();
    for (; row < end; row += cut_.rows) {
      const std::size_t count = std::min(cut_.rows, end - row);
      kernel_.pack_a(source_of(product_.a, neighbors_a_, row, count, start_, depth_), panels);
      multiply_block(panels, 0, row, count, col, cols);
    }
  }

  /// Rows of op(a), packed (a_stride 0) or where they lie, times the packed columns.
  void multiply_block(const std::byte* a, std::size_t a_stride, std::size_t row, std::size_t rows,
                      std::size_t col, std::size_t cols) const {
    const Destination& c = product_.c;
    const std::size_t size = size_of(c.type);
    const bool add = product_.store == Store::add || start_ != 0;
    const std::size_t first =
        order_ == Order::row_major ? row * c.stride + col : col * c.stride + row;
    kernel_.multiply({.a = a,
                      .a_stride = a_stride,
                      .b = panels_b_,
                      .m = rows,
                      .n = cols,
                      .depth = depth_,
                      .c = {.data = static_cast<std::byte*>(c.data) + first * size,
                            .stride = c.stride,
                            .type = c.type,
                            .add = add,
                            .stream = !add && start_ + depth_ == product_.shape.k &&
                                      c.rows * c.cols * size > kStreamed,
                            .alpha = product_.alpha,
                            .order = order_}});
  }

  const PanelKernel& kernel_;
  const Product& product_;
  Order order_;
  Team* team_;
  Cut cut_;
  std::size_t task_rows_;
  Neighbors neighbors_a_;
  Neighbors neighbors_b_;
  std::span<Mapping> panels_a_;  ///< by worker
  std::byte* panels_b_;
  std::size_t start_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

bool PanelGemm::is_supported() { return make_avx512_kernel() != nullptr; }

PanelGemm::PanelGemm(Team* team)
    : fp32_{make_avx512_kernel()},
      bf16_{make_amx_kernel()},
      team_{team},
      panels_a_(workers_of(team)) {
  if (fp32_ == nullptr) {
    throw usage_error("this processor has no AVX-512: choose oneDNN or OpenBLAS");
  }
}

std::string PanelGemm::description() const {
  return fmt::format("panels 2 on {}{}{}", fp32_->name(), bf16_ == nullptr ? "" : ", bf16 on ",
                     bf16_ == nullptr ? "" : bf16_->name());
}

void PanelGemm::multiply_by(const PanelKernel& kernel, const Product& product) const {
  if (product.shape.m <= kernel.few_rows() && product.transpose_b == Transpose::yes) {
    Run{kernel, transposed(product), Order::column_major, team_, panels_a_, panels_b_}.run();
  } else {
    Run{kernel, product, Order::row_major, team_, panels_a_, panels_b_}.run();
  }
}

}  // namespace ballast::kernels
