#include "cli/version.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>

#include "comm/runtime.hpp"
#include "kernels/gemm.hpp"
#include "storage/h5.hpp"

namespace ballast::cli {

std::string version_text() {
  const auto gemm = [](kernels::GemmLibrary library) {
    return kernels::make_gemm(library)->description();
  };
  const auto preferred = kernels::default_gemm_library();
  std::string text = fmt::format(
      "ballast {}\n"
      "  MPI     {}\n"
      "  HDF5    {}\n"
      "  Boost   {}.{}.{}\n"
      "  GEMM    {}\n",
      BALLAST_VERSION, comm::mpi_version(), storage::hdf5_version(), BOOST_VERSION / 100000,
      BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100, gemm(preferred));
  if (preferred != kernels::GemmLibrary::openblas) {
    text += fmt::format("          {}\n", gemm(kernels::GemmLibrary::openblas));
  }
  return text;
}

}  // namespace ballast::cli
