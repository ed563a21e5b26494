#include <cblas.h>

#include "base/narrow.hpp"
#include "kernels/gemm_library.hpp"

namespace ballast::kernels {

namespace {

CBLAS_TRANSPOSE flag(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

class OpenBlasGemm final : public Gemm {
 public:
  OpenBlasGemm() { openblas_set_num_threads(1); }

  void multiply(MatrixView<const float> a, Transpose transpose_a, MatrixView<const float> b,
                Transpose transpose_b, MatrixView<float> c, Store store,
                float alpha) const override {
    const GemmShape shape = gemm_shape(a, transpose_a, b, transpose_b, c);
    if (shape.m == 0 || shape.n == 0) return;
    if (shape.k == 0) return store_zero_product(c, store);
    cblas_sgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b), narrow<blasint>(shape.m),
                narrow<blasint>(shape.n), narrow<blasint>(shape.k), alpha, a.data,
                narrow<blasint>(a.stride), b.data, narrow<blasint>(b.stride),
                store == Store::add ? 1.0f : 0.0f, c.data, narrow<blasint>(c.stride));
  }

  [[nodiscard]] std::string description() const override {
    return fmt::format("{} on {}", openblas_get_config(), openblas_get_corename());
  }
};

}  // namespace

std::unique_ptr<Gemm> make_openblas_gemm() { return std::make_unique<OpenBlasGemm>(); }

}  // namespace ballast::kernels
