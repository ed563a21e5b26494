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

  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                MatrixView<float> c, Store store, float alpha) const override {
    const GemmShape shape = gemm_shape(a, transpose_a, b, transpose_b, c);
    if (shape.m == 0 || shape.n == 0) return;
    if (shape.k == 0) return store_zero_product(c, store);
    const Operand wide_a = widened(a, widened_a_);
    const Operand wide_b = widened(b, widened_b_);
    cblas_sgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b),
                ballast::narrow<blasint>(shape.m), ballast::narrow<blasint>(shape.n),
                ballast::narrow<blasint>(shape.k), alpha, static_cast<const float*>(wide_a.data),
                ballast::narrow<blasint>(wide_a.stride), static_cast<const float*>(wide_b.data),
                ballast::narrow<blasint>(wide_b.stride), store == Store::add ? 1.0f : 0.0f, c.data,
                ballast::narrow<blasint>(c.stride));
  }

  [[nodiscard]] bool is_native(ElementType type) const override {
    return type == ElementType::fp32;
  }

  [[nodiscard]] std::string description() const override {
    return fmt::format("{} on {}", openblas_get_config(), openblas_get_corename());
  }

 private:
  mutable std::vector<float> widened_a_, widened_b_;
};

}  // namespace

std::unique_ptr<Gemm> make_openblas_gemm() { return std::make_unique<OpenBlasGemm>(); }

}  // namespace ballast::kernels
