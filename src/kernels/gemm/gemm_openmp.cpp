#include "kernels/gemm/gemm_openmp.hpp"

#include <dlfcn.h>

#include "base/error.hpp"

namespace ballast::kernels {

namespace {

template <class Function>
Function* find(const char* name) {
  void* const symbol = dlsym(RTLD_DEFAULT, name);
  if (symbol == nullptr) {
    throw usage_error(
        "this oneDNN does not run on OpenMP ({} is missing), so it cannot be held to one thread: "
        "choose OpenBLAS",
        name);
  }
  return reinterpret_cast<Function*>(symbol);
}

}  // namespace

OpenMpThreads::OpenMpThreads()
    : get_{find<int()>("omp_get_max_threads")}, set_{find<void(int)>("omp_set_num_threads")} {}

}  // namespace ballast::kernels
