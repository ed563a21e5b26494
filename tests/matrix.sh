#!/bin/bash
# Trains in every mode there is, and holds every run to the bits of its reference:
#   tests/matrix.sh [BUILD] [COUNT [SEED]]
# Every sharding, backend, recomputation, number of ranks and precision, the other keys in turn; or
# COUNT of these modes, drawn by SEED. BUILD is a folder with built tests, build/release by default.
# Ends with 1 and the list of runs that differ.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1-build/release}
program=$build/jobs_test
if [[ ! -x $program ]]; then
  echo "matrix: there is no '$program': build the tests first (cmake --build '$build'), or name" \
    "another build folder" >&2
  exit 2
fi

export BALLAST_MATRIX=${2-all} BALLAST_MATRIX_SEED=${3-1}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
exec "$program" --gtest_filter='Matrix/Modes.*' --gtest_brief=0
