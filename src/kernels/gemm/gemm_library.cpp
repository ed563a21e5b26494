#include "kernels/gemm/gemm_library.hpp"

#include <algorithm>
#include <span>

#include "base/error.hpp"
#include "kernels/convert.hpp"

namespace ballast::kernels {

namespace {

std::byte* row_of(const Destination& c, std::size_t row) {
  return static_cast<std::byte*>(c.data) + row * c.stride * size_of(c.type);
}

/// A product over k == 0 is zero; libraries differ on whether they say so.
void store_zero_product(const Destination& c, Store store) {
  if (store == Store::add) return;
  for (std::size_t r = 0; r < c.rows; ++r) {
    std::fill_n(row_of(c, r), c.cols * size_of(c.type), std::byte{0});
  }
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

/// How many rows of op(a) or columns of op(b), each of k elements, are converted at a time.
std::size_t panel_of(std::size_t k) { return std::max<std::size_t>(1, kWidenedPanel / k); }

}  // namespace

GemmShape checked_shape(const Operand& a, Transpose transpose_a, const Operand& b,
                        Transpose transpose_b, const Destination& c, Store store) {
  if (c.type != ElementType::fp32 && (c.type != a.type || store == Store::add)) {
    throw internal_error("matrix product of {} into {}{}", name_of(a.type), name_of(c.type),
                         store == Store::add ? ", added" : "");
  }
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

Operand rows_of(const Operand& x, std::size_t start, std::size_t count) {
  Operand part = x;
  part.rows = count;
  part.data = static_cast<const std::byte*>(x.data) + start * x.stride * size_of(x.type);
  return part;
}

Operand cols_of(const Operand& x, std::size_t start, std::size_t count) {
  Operand part = x;
  part.cols = count;
  part.data = static_cast<const std::byte*>(x.data) + start * size_of(x.type);
  return part;
}

void LibraryGemm::multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                           Transpose transpose_b, const Destination& c, Store store,
                           float alpha) const {
  const GemmShape shape = checked_shape(a, transpose_a, b, transpose_b, c, store);
  if (a.type != ElementType::fp32 && alpha != 1.0f) {
    throw internal_error("matrix product of {} takes alpha 1, not {}", name_of(a.type), alpha);
  }
  if (shape.m == 0 || shape.n == 0) return;
  if (shape.k == 0) return store_zero_product(c, store);
  const Product product{shape, a, transpose_a, b, transpose_b, c, store, alpha};
  if (a.type == ElementType::fp32) return multiply_fp32(product);
  if (is_native(a.type)) return multiply_narrow(product);
  if (c.type != ElementType::fp32) return multiply_rounded(product);
  multiply_widened(product);
}

void LibraryGemm::prepare(const Operand& a, Transpose transpose_a, const Operand& b,
                          Transpose transpose_b, const Destination& c, Store store) const {
  const GemmShape shape = checked_shape(a, transpose_a, b, transpose_b, c, store);
  const auto& [m, n, k] = shape;
  if (a.type == ElementType::fp32 || m == 0 || n == 0 || k == 0) return;
  if (is_native(a.type)) {
    return prepare_narrow({shape, a, transpose_a, b, transpose_b, c, store, 1.0f});
  }
  const auto grow = [](std::vector<float>& room, std::size_t numel) {
    if (room.size() < numel) room.resize(numel);
  };
  const std::size_t rows = c.type == ElementType::fp32 ? m : std::min(m, panel_of(n));
  grow(widened_a_, std::min(rows, panel_of(k)) * k);
  grow(widened_b_, std::min(n, panel_of(k)) * k);
  if (c.type != ElementType::fp32) grow(rounded_c_, rows * n);
}

void LibraryGemm::multiply_narrow(const Product& product) const {
  throw internal_error("{} does not multiply {}", description(), name_of(product.a.type));
}

/// A few rows at a time in fp32, then rounded.
void LibraryGemm::multiply_rounded(const Product& product) const {
  const auto& [m, n, k] = product.shape;
  const std::size_t panel = panel_of(n);
  Product piece = product;
  for (std::size_t row = 0; row < m; row += panel) {
    const std::size_t rows = std::min(panel, m - row);
    rounded_c_.resize(std::max(rounded_c_.size(), rows * n));
    piece.shape.m = rows;
    piece.a = product.transpose_a == Transpose::no ? rows_of(product.a, row, rows)
                                                   : cols_of(product.a, row, rows);
    piece.c = matrix(rounded_c_.data(), rows, n);
    multiply_widened(piece);
    for (std::size_t r = 0; r < rows; ++r) {
      narrow(std::span{rounded_c_}.subspan(r * n, n),
             {row_of(product.c, row + r), n, product.c.type});
    }
  }
}

/// Writes fp32.
void LibraryGemm::multiply_widened(const Product& product) const {
  const auto& [m, n, k] = product.shape;
  const auto part_of_a = product.transpose_a == Transpose::no ? rows_of : cols_of;
  const auto part_of_b = product.transpose_b == Transpose::no ? cols_of : rows_of;
  const std::size_t panel = panel_of(k);
  Product piece = product;
  for (std::size_t col = 0; col < n; col += panel) {
    piece.shape.n = std::min(panel, n - col);
    piece.b = widened(part_of_b(product.b, col, piece.shape.n), widened_b_);
    for (std::size_t row = 0; row < m; row += panel) {
      piece.shape.m = std::min(panel, m - row);
      piece.a = widened(part_of_a(product.a, row, piece.shape.m), widened_a_);
      piece.c = MatrixView<float>{reinterpret_cast<float*>(row_of(product.c, row)) + col,
                                  piece.shape.m, piece.shape.n, product.c.stride};
      multiply_fp32(piece);
    }
  }
}

}  // namespace ballast::kernels
