#include "kernels/gemm/gemm_tiled.hpp"

#include <algorithm>

namespace ballast::kernels {

namespace {

/// A product's arguments, whole or of one tile.
struct Call {
  Operand a;
  Transpose transpose_a;
  Operand b;
  Transpose transpose_b;
  Destination c;
  Store store;
};

/// Columns of op(x), or rows, of an operand that lies transposed or not.
Operand part_of(const Operand& x, bool rows, std::size_t first, std::size_t count) {
  return rows ? rows_of(x, first, count) : cols_of(x, first, count);
}

std::size_t count_of(std::size_t size, std::size_t step) { return (size + step - 1) / step; }

/// The size of equal parts, none above `largest`, rounded to whole vectors.
std::size_t even_part(std::size_t size, std::size_t largest) {
  constexpr std::size_t kStep = 16;
  const std::size_t part = count_of(size, count_of(size, largest));
  return count_of(part, kStep) * kStep;
}

/// Part of the fingerprint: to be counted up with every change of gemm_tile.
constexpr int kCut = 1;

/// The tiles of a product, down its columns first.
class Tiles {
 public:
  explicit Tiles(const Call& whole)
      : whole_{whole},
        tile_{gemm_tile(whole.c.rows, whole.c.cols)},
        down_{count_of(whole.c.rows, tile_.rows)},
        across_{count_of(whole.c.cols, tile_.cols)} {}

  [[nodiscard]] std::size_t count() const { return down_ * across_; }

  [[nodiscard]] Call at(std::size_t tile) const {
    const std::size_t row = tile % down_ * tile_.rows;
    const std::size_t col = tile / down_ * tile_.cols;
    Call call = whole_;
    Destination& c = call.c;
    c.rows = std::min(tile_.rows, c.rows - row);
    c.cols = std::min(tile_.cols, c.cols - col);
    c.data = static_cast<std::byte*>(c.data) + (row * c.stride + col) * size_of(c.type);
    call.a = part_of(call.a, call.transpose_a == Transpose::no, row, c.rows);
    call.b = part_of(call.b, call.transpose_b == Transpose::yes, col, c.cols);
    return call;
  }

  /// visit(call) for one tile of each shape: inner, right, lower and last.
  template <class Visit>
  void for_each_shape(Visit&& visit) const {
    visit(at(0));
    if (across_ > 1) visit(at(count() - down_));
    if (down_ > 1) visit(at(down_ - 1));
    if (down_ > 1 && across_ > 1) visit(at(count() - 1));
  }

 private:
  Call whole_;
  GemmTile tile_;
  std::size_t down_;
  std::size_t across_;
};

}  // namespace

GemmTile gemm_tile(std::size_t rows, std::size_t cols) {
  // Gradients of weights have few rows and long sums.
  constexpr std::size_t kMany = 1024;
  const GemmTile largest = rows < kMany ? GemmTile{256, 1024} : GemmTile{512, 2048};
  return {even_part(rows, largest.rows), even_part(cols, largest.cols)};
}

TiledGemm::TiledGemm(std::unique_ptr<LibraryGemm> (*make)(), Team* team) : team_{team} {
  for (std::size_t worker = 0; worker < workers_of(team); ++worker) instances_.push_back(make());
}

void TiledGemm::multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                         Transpose transpose_b, const Destination& c, Store store,
                         float alpha) const {
  const auto multiply_by = [&](const LibraryGemm& gemm, const Call& call) {
    gemm.multiply(call.a, call.transpose_a, call.b, call.transpose_b, call.c, call.store, alpha);
  };
  const Call whole{a, transpose_a, b, transpose_b, c, store};
  static_cast<void>(checked_shape(a, transpose_a, b, transpose_b, c, store));
  if (c.rows == 0 || c.cols == 0) return;
  const Tiles tiles{whole};
  if (tiles.count() < 2) return multiply_by(*instances_.front(), whole);
  if (instances_.size() > 1) {
    tiles.for_each_shape([&](const Call& call) {
      for (const auto& gemm : instances_) {
        gemm->prepare(call.a, call.transpose_a, call.b, call.transpose_b, call.c, call.store);
      }
    });
  }
  run_tasks(team_, tiles.count(), [&](std::size_t tile, std::size_t worker) {
    multiply_by(*instances_[worker], tiles.at(tile));
  });
}

std::string TiledGemm::description() const {
  return fmt::format("{}, cut {}", instances_.front()->description(), kCut);
}

}  // namespace ballast::kernels
