#ifdef BALLAST_HAVE_ONEDNN

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <string_view>

#include "base/error.hpp"
#include "kernels/gemm_library.hpp"

namespace ballast::kernels {

namespace {

/// The thread count of the OpenMP runtime that oneDNN was built with. It is looked up in the
/// process: linking one here could bring in a second runtime whose settings oneDNN never reads.
class OpenMpThreads {
 public:
  OpenMpThreads()
      : get_{find<int()>("omp_get_max_threads")}, set_{find<void(int)>("omp_set_num_threads")} {}

  /// Holds the calling thread to teams of one while it lives.
  class One {
   public:
    explicit One(const OpenMpThreads& threads) : threads_{threads}, before_{threads.get_()} {
      threads_.set_(1);
    }
    ~One() { threads_.set_(before_); }
    One(const One&) = delete;
    One& operator=(const One&) = delete;

   private:
    const OpenMpThreads& threads_;
    int before_;
  };

 private:
  template <class Function>
  static Function* find(const char* name) {
    void* const symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == nullptr) {
      throw usage_error(
          "this oneDNN does not run on OpenMP ({} is missing), so it cannot be held to one thread: "
          "choose OpenBLAS",
          name);
    }
    return reinterpret_cast<Function*>(symbol);
  }

  int (*get_)();
  void (*set_)(int);
};

std::string_view isa_name(dnnl_cpu_isa_t isa) {
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
    default:
      return "generic";
  }
}

char flag(Transpose transpose) { return transpose == Transpose::yes ? 'T' : 'N'; }

class OneDnnGemm final : public Gemm {
 public:
  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                MatrixView<float> c, Store store, float alpha) const override {
    const GemmShape shape = gemm_shape(a, transpose_a, b, transpose_b, c);
    if (shape.m == 0 || shape.n == 0) return;
    if (shape.k == 0) return store_zero_product(c, store);
    const Operand wide_a = widened(a, widened_a_);
    const Operand wide_b = widened(b, widened_b_);
    const OpenMpThreads::One one{threads_};
    const auto size = [](std::size_t value) { return static_cast<dnnl_dim_t>(value); };
    const dnnl_status_t status =
        dnnl_sgemm(flag(transpose_a), flag(transpose_b), size(shape.m), size(shape.n),
                   size(shape.k), alpha, static_cast<const float*>(wide_a.data),
                   size(wide_a.stride), static_cast<const float*>(wide_b.data), size(wide_b.stride),
                   store == Store::add ? 1.0f : 0.0f, c.data, size(c.stride));
    if (status != dnnl_success) {
      throw internal_error("oneDNN's sgemm of m {}, n {}, k {} failed with status {}", shape.m,
                           shape.n, shape.k, static_cast<int>(status));
    }
  }

  [[nodiscard]] bool is_native(ElementType type) const override {
    return type == ElementType::fp32;
  }

  [[nodiscard]] std::string description() const override {
    const dnnl_version_t& version = *dnnl_version();
    return fmt::format("oneDNN {}.{}.{} on {}", version.major, version.minor, version.patch,
                       isa_name(dnnl_get_effective_cpu_isa()));
  }

 private:
  OpenMpThreads threads_;
  mutable std::vector<float> widened_a_, widened_b_;
};

}  // namespace

std::unique_ptr<Gemm> make_onednn_gemm() { return std::make_unique<OneDnnGemm>(); }

}  // namespace ballast::kernels

#endif  // BALLAST_HAVE_ONEDNN
