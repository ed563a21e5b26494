#ifdef BALLAST_HAVE_ONEDNN

#include <oneapi/dnnl/dnnl.h>
#include <string_view>

#include "base/error.hpp"
#include "kernels/gemm/gemm_library.hpp"
#include "kernels/gemm/gemm_onednn_bf16.hpp"
#include "kernels/gemm/gemm_openmp.hpp"

namespace ballast::kernels {

namespace {

std::string isa_name(dnnl_cpu_isa_t isa) {
  switch (isa) {
    case dnnl_cpu_isa_sse41:
      return "sse4.1";
    case dnnl_cpu_isa_avx:
      return "avx";
    case dnnl_cpu_isa_avx2:
      return "avx2";
    case dnnl_cpu_isa_avx2_vnni:
      return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core:
      return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx:
      return "avx512_core_amx";
    default:  // a newer oneDNN has more of them
      return fmt::format("instruction set {:#x}", static_cast<unsigned>(isa));
  }
}

char flag(Transpose transpose) { return transpose == Transpose::yes ? 'T' : 'N'; }

/// oneDNN numbers instruction sets so that each one's bits contain those of the sets it builds on.
bool includes(dnnl_cpu_isa_t isa, dnnl_cpu_isa_t part) {
  return (static_cast<unsigned>(isa) & static_cast<unsigned>(part)) == static_cast<unsigned>(part);
}

/// What multiplies bf16, or nothing where operands are widened.
std::string_view bf16_unit() {
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  if (includes(isa, dnnl_cpu_isa_avx512_core_amx)) return "amx";
  return includes(isa, dnnl_cpu_isa_avx512_core_bf16) ? "avx512_bf16" : "";
}

class OneDnnGemm final : public LibraryGemm {
 public:
  [[nodiscard]] bool is_native(ElementType type) const override {
    return type == ElementType::fp32 || (type == ElementType::bf16 && !bf16_unit_.empty());
  }

  [[nodiscard]] std::string description() const override {
    const dnnl_version_t& version = *dnnl_version();
    return fmt::format("oneDNN {}.{}.{} on {}{}{}", version.major, version.minor, version.patch,
                       isa_name(dnnl_get_effective_cpu_isa()),
                       bf16_unit_.empty() ? "" : ", bf16 on ", bf16_unit_);
  }

 private:
  void multiply_fp32(const Product& product) const override {
    const auto& [shape, a, transpose_a, b, transpose_b, c, store, alpha] = product;
    const OpenMpThreads::One one{threads_};
    const auto size = [](std::size_t value) { return static_cast<dnnl_dim_t>(value); };
    const dnnl_status_t status =
        dnnl_sgemm(flag(transpose_a), flag(transpose_b), size(shape.m), size(shape.n),
                   size(shape.k), alpha, static_cast<const float*>(a.data), size(a.stride),
                   static_cast<const float*>(b.data), size(b.stride),
                   store == Store::add ? 1.0f : 0.0f, static_cast<float*>(c.data), size(c.stride));
    if (status != dnnl_success) {
      throw internal_error("oneDNN's sgemm of m {}, n {}, k {} failed with status {}", shape.m,
                           shape.n, shape.k, static_cast<int>(status));
    }
  }

  void multiply_narrow(const Product& product) const override {
    const OpenMpThreads::One one{threads_};
    bf16_.multiply(product);
  }

  void prepare_narrow(const Product& product) const override {
    const OpenMpThreads::One one{threads_};  // a primitive is planned for the threads it may take
    bf16_.prepare(product);
  }

  OpenMpThreads threads_;
  std::string_view bf16_unit_ = bf16_unit();
  mutable OneDnnBf16 bf16_;
};

}  // namespace

std::unique_ptr<LibraryGemm> make_onednn_gemm() { return std::make_unique<OneDnnGemm>(); }

}  // namespace ballast::kernels

#endif  // BALLAST_HAVE_ONEDNN
