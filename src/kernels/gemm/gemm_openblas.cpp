#include <cblas.h>

#include "base/checked_cast.hpp"
#include "kernels/gemm/gemm_library.hpp"

namespace ballast::kernels {

namespace {

CBLAS_TRANSPOSE flag(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

class OpenBlasGemm final : public LibraryGemm {
 public:
  OpenBlasGemm() { openblas_set_num_threads(1); }

  [[nodiscard]] std::string description() const override {
    return fmt::format("{} on {}", openblas_get_config(), openblas_get_corename());
  }

 private:
  void multiply_fp32(const Product& product) const override {
    const auto& [shape, a, transpose_a, b, transpose_b, c, store, alpha] = product;
    cblas_sgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b),
                ballast::checked_cast<blasint>(shape.m), ballast::checked_cast<blasint>(shape.n),
                ballast::checked_cast<blasint>(shape.k), alpha, static_cast<const float*>(a.data),
                ballast::checked_cast<blasint>(a.stride), static_cast<const float*>(b.data),
                ballast::checked_cast<blasint>(b.stride), store == Store::add ? 1.0f : 0.0f,
                static_cast<float*>(c.data), ballast::checked_cast<blasint>(c.stride));
  }
};

}  // namespace

std::unique_ptr<LibraryGemm> make_openblas_gemm() { return std::make_unique<OpenBlasGemm>(); }

}  // namespace ballast::kernels
