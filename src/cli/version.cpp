#include "cli/version.hpp"

#include <boost/version.hpp>
#include <commit.hpp>
#include <fmt/format.h>

#include "comm/runtime.hpp"
#include "kernels/gemm.hpp"
#include "storage/h5/writer.hpp"

namespace ballast::cli {

std::string program_version() {
  return fmt::format("ballast {} (commit {})", BALLAST_VERSION, BALLAST_COMMIT);
}

std::string version_text() {
  std::string text = fmt::format(
      "{}\n"
      "  MPI     {}\n"
      "  HDF5    {}\n"
      "  Boost   {}.{}.{}\n",
      program_version(), comm::mpi_version(), storage::hdf5_version(), BOOST_VERSION / 100000,
      BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
  std::string_view label = "GEMM";
  for (const kernels::GemmLibrary library : kernels::gemm_libraries()) {
    text += fmt::format("  {:<8}{}\n", label, kernels::make_gemm(library)->description());
    label = "";
  }
  return text;
}

}  // namespace ballast::cli
