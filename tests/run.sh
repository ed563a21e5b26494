#!/bin/bash
# Installs what is missing, builds, runs every test, ends with ctest's summary:
#   tests/run.sh [--preset release|asan|tsan|dev] [arguments of ctest ...]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
if [[ ${1-} == --preset ]]; then
  preset=${2?"--preset needs a name: release, asan, tsan or dev"}
  shift 2
fi

launch/install.sh --tests
cmake --preset "$preset" -DBALLAST_TESTS=ON -DBALLAST_BENCH=ON
cmake --build --preset "$preset" --parallel "$(nproc)"
# Tests say how many processors they take, so this many at a time do not slow each other down.
exec ctest --preset "$preset" --parallel "$(nproc)" "$@"
