#include "kernels/gemm.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "kernels/convert.hpp"
#include "kernels/gemm_library.hpp"

namespace ballast::kernels {

GemmShape gemm_shape(const Operand& a, Transpose transpose_a, const Operand& b,
                     Transpose transpose_b, MatrixView<float> c) {
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

Operand widened(const Operand& operand, std::vector<float>& room) {
  if (operand.type == ElementType::fp32) return operand;
  room.resize(std::max(room.size(), operand.rows * operand.cols));
  const auto* data = static_cast<const std::byte*>(operand.data);
  for (std::size_t r = 0; r < operand.rows; ++r) {
    widen({data + r * operand.stride * size_of(operand.type), operand.cols, operand.type},
          std::span{room}.subspan(r * operand.cols, operand.cols));
  }
  return {std::span<const float>{room}, operand.rows, operand.cols};
}

void store_zero_product(MatrixView<float> c, Store store) {
  if (store == Store::add) return;
  for (std::size_t r = 0; r < c.rows; ++r) std::fill_n(c.data + r * c.stride, c.cols, 0.0f);
}

GemmLibrary default_gemm_library() {
#ifdef BALLAST_HAVE_ONEDNN
  return GemmLibrary::onednn;
#else
  return GemmLibrary::openblas;
#endif
}

std::unique_ptr<Gemm> make_gemm(GemmLibrary library) {
  if (library == GemmLibrary::openblas) return make_openblas_gemm();
#ifdef BALLAST_HAVE_ONEDNN
  return make_onednn_gemm();
#else
  throw usage_error(
      "this build has no oneDNN: choose OpenBLAS, or install oneDNN's development package and "
      "configure again");
#endif
}

}  // namespace ballast::kernels
