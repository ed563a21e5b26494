#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "kernels/gemm.hpp"

namespace ballast::kernels {

/// The sizes of one product: op(a) [m, k], op(b) [k, n], c [m, n].
struct GemmShape {
  std::size_t m;
  std::size_t n;
  std::size_t k;
};

/// Throws an internal Error when the operands do not fit together.
[[nodiscard]] GemmShape gemm_shape(const Operand& a, Transpose transpose_a, const Operand& b,
                                   Transpose transpose_b, MatrixView<float> c);

/// The operand with its elements as fp32, dense rows in `room` where it was narrow.
[[nodiscard]] Operand widened(const Operand& operand, std::vector<float>& room);

/// A product over k == 0 is zero; libraries differ on whether they say so.
void store_zero_product(MatrixView<float> c, Store store);

[[nodiscard]] std::unique_ptr<Gemm> make_openblas_gemm();
#ifdef BALLAST_HAVE_ONEDNN
[[nodiscard]] std::unique_ptr<Gemm> make_onednn_gemm();
#endif

}  // namespace ballast::kernels
