#include "kernels/gemm_library.hpp"

#include <algorithm>
#include <span>

#include "base/error.hpp"
#include "kernels/convert.hpp"

namespace ballast::kernels {

namespace {

GemmShape shape_of(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                   MatrixView<float> c) {
  if (a.type != b.type) {
    throw internal_error("matrix product of {} and {}", name_of(a.type), name_of(b.type));
  }
  const bool a_as_is = transpose_a == Transpose::no;
  const bool b_as_is = transpose_b == Transpose::no;
  const GemmShape shape{a_as_is ? a.rows : a.cols, b_as_is ? b.cols : b.rows,
                        a_as_is ? a.cols : a.rows};
  const std::size_t b_depth = b_as_is ? b.rows : b.cols;
  if (b_depth != shape.k || c.rows != shape.m || c.cols != shape.n) {
    throw internal_error("matrix product [{}, {}] x [{}, {}] does not give [{}, {}]", shape.m,
                         shape.k, b_depth, shape.n, c.rows, c.cols);
  }
  return shape;
}

/// A product over k == 0 is zero; libraries differ on whether they say so.
void store_zero_product(MatrixView<float> c, Store store) {
  if (store == Store::add) return;
  for (std::size_t r = 0; r < c.rows; ++r) std::fill_n(c.data + r * c.stride, c.cols, 0.0f);
}

enum class Along { rows, cols };

/// `count` rows or columns of a matrix from `start` on.
Operand part_of(const Operand& whole, Along along, std::size_t start, std::size_t count) {
  Operand part = whole;
  (along == Along::rows ? part.rows : part.cols) = count;
  const std::size_t elements = along == Along::rows ? start * whole.stride : start;
  part.data = static_cast<const std::byte*>(whole.data) + elements * size_of(whole.type);
  return part;
}

/// The operand as fp32, dense rows in `room`.
Operand widened(const Operand& operand, std::vector<float>& room) {
  const std::size_t numel = operand.rows * operand.cols;
  room.resize(std::max(room.size(), numel));
  const auto* data = static_cast<const std::byte*>(operand.data);
  for (std::size_t r = 0; r < operand.rows; ++r) {
    widen({data + r * operand.stride * size_of(operand.type), operand.cols, operand.type},
          std::span{room}.subspan(r * operand.cols, operand.cols));
  }
  return matrix<const float>(room.data(), operand.rows, operand.cols);
}

/// How many rows of op(a) or columns of op(b), each of k elements, are widened at a time.
std::size_t panel_of(std::size_t k) { return std::max<std::size_t>(1, kWidenedPanel / k); }

}  // namespace

void LibraryGemm::multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                           Transpose transpose_b, MatrixView<float> c, Store store,
                           float alpha) const {
  const GemmShape shape = shape_of(a, transpose_a, b, transpose_b, c);
  if (a.type != ElementType::fp32 && alpha != 1.0f) {
    throw internal_error("matrix product of {} takes alpha 1, not {}", name_of(a.type), alpha);
  }
  if (shape.m == 0 || shape.n == 0) return;
  if (shape.k == 0) return store_zero_product(c, store);
  const Product product{shape, a, transpose_a, b, transpose_b, c, store, alpha};
  if (a.type == ElementType::fp32) return multiply_fp32(product);
  if (is_native(a.type)) return multiply_narrow(product);
  multiply_widened(product);
}

void LibraryGemm::multiply_narrow(const Product& product) const {
  throw internal_error("{} does not multiply {}", description(), name_of(product.a.type));
}

void LibraryGemm::multiply_widened(const Product& product) const {
  const auto& [m, n, k] = product.shape;
  const auto& c = product.c;
  const Along rows_of_op_a = product.transpose_a == Transpose::no ? Along::rows : Along::cols;
  const Along cols_of_op_b = product.transpose_b == Transpose::no ? Along::cols : Along::rows;
  const std::size_t panel = panel_of(k);
  Product piece = product;
  for (std::size_t col = 0; col < n; col += panel) {
    piece.shape.n = std::min(panel, n - col);
    piece.b = widened(part_of(product.b, cols_of_op_b, col, piece.shape.n), widened_b_);
    for (std::size_t row = 0; row < m; row += panel) {
      piece.shape.m = std::min(panel, m - row);
      piece.a = widened(part_of(product.a, rows_of_op_a, row, piece.shape.m), widened_a_);
      piece.c = {c.data + row * c.stride + col, piece.shape.m, piece.shape.n, c.stride};
      multiply_fp32(piece);
    }
  }
}

}  // namespace ballast::kernels
