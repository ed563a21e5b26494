#include "kernels/gemm_tiled.hpp"

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

/// The tiles of a product, down its columns first.
class Tiles {
 public:
  explicit Tiles(const Call& whole)
      : whole_{whole},
        down_{count_of(whole.c.rows, kGemmTile.rows)},
        across_{count_of(whole.c.cols, kGemmTile.cols)} {}

  [[nodiscard]] std::size_t count() const { return down_ * across_; }

  [[nodiscard]] Call at(std::size_t tile) const {
    const std::size_t row = tile % down_ * kGemmTile.rows;
    const std::size_t col = tile / down_ * kGemmTile.cols;
    Call call = whole_;
    Destination& c = call.c;
    c.rows = std::min(kGemmTile.rows, c.rows - row);
    c.cols = std::min(kGemmTile.cols, c.cols - col);
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
  std::size_t down_;
  std::size_t across_;
};

}  // namespace

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
  return fmt::format("{} in tiles of {} x {}", instances_.front()->description(), kGemmTile.rows,
                     kGemmTile.cols);
}

}  // namespace ballast::kernels
