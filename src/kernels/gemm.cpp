#include "kernels/gemm.hpp"

#include "base/error.hpp"
#include "kernels/gemm_library.hpp"

namespace ballast::kernels {

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
