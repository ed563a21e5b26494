#include "cli/version.hpp"

#include <array>
#include <boost/version.hpp>
#include <cblas.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <mpi.h>
#ifdef BALLAST_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

namespace ballast::cli {

namespace {

/// The first words of the library's own description: "Open MPI v4.1.4".
std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) != MPI_SUCCESS) return "unknown";
  const std::string all{text.data(), static_cast<std::size_t>(length)};
  return all.substr(0, all.find_first_of(",\n"));
}

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  return fmt::format("{}.{}.{}", major, minor, release);
}

std::string onednn_version() {
#ifdef BALLAST_HAVE_ONEDNN
  const dnnl_version_t* const version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
#else
  return "not built in";
#endif
}

}  // namespace

std::string version_text() {
  return fmt::format(
      "ballast {}\n"
      "  MPI     {}\n"
      "  BLAS    {}\n"
      "  oneDNN  {}\n"
      "  HDF5    {}\n"
      "  Boost   {}.{}.{}\n",
      BALLAST_VERSION, mpi_version(), openblas_get_config(), onednn_version(), hdf5_version(),
      BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
}

}  // namespace ballast::cli
