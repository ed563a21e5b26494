#!/bin/bash
# The tests that sanitizers gain most from, some minutes: threads and what ranks of one host share
# under the thread sanitizer; kernels, and what reads files that may come from strangers, under the
# address and undefined-behavior sanitizers. tests/run.sh --preset asan or tsan runs all tests.
set -euo pipefail
cd "$(dirname "$0")/.."

# sanitized PRESET TESTS TARGET...: builds the targets and runs the tests whose names match TESTS.
sanitized() {
  local preset=$1 tests=$2
  shift 2
  # Instrumented code makes gcc warn falsely; the build of tests/run.sh is the one to be clean.
  cmake --preset "$preset" -DBALLAST_BENCH=OFF -DBALLAST_WERROR=OFF
  cmake --build --preset "$preset" --parallel "$(nproc)" --target "$@"
  ctest --preset "$preset" --parallel "$(nproc)" -R "$tests"
}

launch/install.sh --tests
sanitized tsan '^(base|board|comm\.await)$' base_test board_test comm_test
sanitized asan '^(kernels|storage)$' kernels_test storage_test
