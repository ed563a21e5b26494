find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(ZLIB REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
pkg_check_modules(openblas REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)

if(BALLAST_ONEDNN)
  find_package(dnnl 2 CONFIG)
  if(NOT dnnl_FOUND)
    message(STATUS "oneDNN not found: matrix products go to OpenBLAS")
  endif()
endif()

if(BALLAST_TESTS)
  find_package(GTest REQUIRED)
endif()
if(BALLAST_BENCH)
  find_package(benchmark REQUIRED)
endif()

# The C interface of MPI only, as a system header.
add_library(ballast_mpi INTERFACE)
target_link_libraries(ballast_mpi INTERFACE MPI::MPI_C)
target_compile_definitions(ballast_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

# FindHDF5's target would carry its own flags; only headers and libraries are wanted.
add_library(ballast_hdf5 INTERFACE)
target_include_directories(ballast_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(ballast_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
# Later versions give another thing than an address for a link, unless asked for these calls.
target_compile_definitions(ballast_hdf5 INTERFACE H5_USE_110_API)
