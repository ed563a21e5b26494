#include "kernels/gemm/gemm_factory.hpp"

#include <vector>

#include "base/error.hpp"
#include "kernels/gemm/gemm_library.hpp"
#include "kernels/gemm/gemm_panels.hpp"
#include "kernels/gemm/gemm_tiled.hpp"

namespace ballast::kernels {

std::span<const GemmLibrary> gemm_libraries() {
  static const std::vector<GemmLibrary> kLibraries = [] {
    std::vector<GemmLibrary> found{GemmLibrary::openblas};
#ifdef BALLAST_HAVE_ONEDNN
    found.push_back(GemmLibrary::onednn);
#endif
    if (PanelGemm::is_supported()) found.push_back(GemmLibrary::panels);
    return found;
  }();
  return kLibraries;
}

std::unique_ptr<Gemm> make_gemm(GemmLibrary library, Team* team) {
  switch (library) {
    case GemmLibrary::openblas:
      // Whole, on the caller's thread: builds of OpenBLAS without threads do not lock the buffers
      // that their calls share, and two calls at once spoil each other's results.
      return make_openblas_gemm();
    case GemmLibrary::onednn:
#ifdef BALLAST_HAVE_ONEDNN
      return std::make_unique<TiledGemm>(make_onednn_gemm, team);
#else
      throw usage_error(
          "this build has no oneDNN: choose OpenBLAS, or install oneDNN's development package and "
          "configure again");
#endif
    case GemmLibrary::panels:
      return std::make_unique<PanelGemm>(team);
  }
  throw internal_error("unknown matrix library {}", static_cast<int>(library));
}

}  // namespace ballast::kernels
