# Flags that every target of this project shares.
add_library(ballast_flags INTERFACE)
target_include_directories(ballast_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(ballast_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual
  # GCC 12 sees overlaps in std::string where there are none (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # Bits must not depend on what the compiler feels like contracting: fused
  # multiply-adds are written out where they are wanted.
  -ffp-contract=off)
if(BALLAST_WERROR)
  target_compile_options(ballast_flags INTERFACE -Werror)
endif()
if(BALLAST_NATIVE)
  target_compile_options(ballast_flags INTERFACE -march=native)
  target_compile_definitions(ballast_flags INTERFACE BALLAST_SINGLE_ISA)
endif()
if(BALLAST_SANITIZE)
  # Function multiversioning resolves before a sanitizer is ready, so these
  # builds fix one instruction set.
  target_compile_options(ballast_flags INTERFACE
    -fsanitize=${BALLAST_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-march=x86-64-v3>)
  target_link_options(ballast_flags INTERFACE -fsanitize=${BALLAST_SANITIZE})
  target_compile_definitions(ballast_flags INTERFACE BALLAST_SINGLE_ISA)
endif()
if(BALLAST_FUZZ)
  # gcc calls tests/fuzz/coverage.cpp at every edge.
  target_compile_options(ballast_flags INTERFACE -fsanitize-coverage=trace-pc,trace-cmp)
endif()

# ballast_library(NAME DEPENDS other folders... LINK outside libraries...)
# One library per folder of src/: every .cpp in the folder belongs to it.
function(ballast_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  if(sources)
    set(kind PUBLIC)
    add_library(ballast_${name} STATIC ${sources})
  else()
    set(kind INTERFACE)
    add_library(ballast_${name} INTERFACE)
  endif()
  list(TRANSFORM ARG_DEPENDS PREPEND ballast_)
  target_link_libraries(ballast_${name} ${kind} ballast_flags ${ARG_DEPENDS} ${ARG_LINK})
endfunction()

# ballast_test(NAME [MPI] DEPENDS folders... LINK outside libraries...)
# One test program per folder of tests/, made of all *_test.cpp in it. With MPI it is
# registered at 1, 2, 3 and 4 ranks.
function(ballast_test name)
  cmake_parse_arguments(ARG "MPI" "TIMEOUT" "DEPENDS;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(BALLAST_SANITIZE)
    math(EXPR ARG_TIMEOUT "4 * ${ARG_TIMEOUT}")
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  list(TRANSFORM ARG_DEPENDS PREPEND ballast_)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  # Half of the time to build everything is the tests'; what they test is built as always.
  target_compile_options(${name}_test PRIVATE -O1)
  target_link_libraries(${name}_test PRIVATE ${ARG_DEPENDS} ${ARG_LINK} ballast_flags)
  if(ARG_MPI)
    target_link_libraries(${name}_test PRIVATE ballast_mpi_test_main)
    foreach(ranks IN ITEMS 1 2 3 4)
      add_test(NAME ${name}.np${ranks} COMMAND ${BALLAST_MPIRUN} -n ${ranks} $<TARGET_FILE:${name}_test>)
      set_tests_properties(${name}.np${ranks} PROPERTIES
        PROCESSORS ${ranks} TIMEOUT ${ARG_TIMEOUT} LABELS "mpi;np${ranks}"
        ENVIRONMENT "${BALLAST_TEST_ENVIRONMENT}")
    endforeach()
  else()
    target_link_libraries(${name}_test PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT}
      ENVIRONMENT "${BALLAST_TEST_ENVIRONMENT}")
  endif()
endfunction()
