#!/bin/bash
# Trains with N ranks on this machine, one single-threaded rank on each core:
#   launch/local.sh N CONFIG [--key value ...]
# BALLAST names another binary than build/release/ballast; MPIRUN_FLAGS adds to mpirun's flags.
# Ctrl-C, SIGTERM, SIGHUP and SIGUSR1, any number of them, save the state and end with code 75.
set -euo pipefail
if (($# < 2)) || [[ ! $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: launch/local.sh N CONFIG [--key value ...]" >&2
  exit 2
fi
ranks=$1 config=$2
shift 2
ballast=${BALLAST:-$(dirname "$0")/../build/release/ballast}
read -ra flags <<<"${MPIRUN_FLAGS-}"

# nproc would believe an OMP_NUM_THREADS from outside.
unset OMP_NUM_THREADS
cores=$(lscpu -p=core,socket | grep -v '^#' | sort -u | wc -l)
if ((ranks > $(nproc))); then
  echo "launch/local.sh: $ranks ranks share $(nproc) processors: right, but slow" >&2
  flags+=(--oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
elif (($(nproc) < $(nproc --all))); then
  # mpirun would bind to processors that taskset or a batch system keeps from us.
  flags+=(--oversubscribe --bind-to none)
elif ((ranks > cores)); then
  flags+=(--use-hwthread-cpus --map-by hwthread --bind-to hwthread)
else
  flags+=(--map-by core --bind-to core)
fi
if (($(id -u) == 0)); then
  flags+=(--allow-run-as-root)
fi
# Containers with a system call filter mostly forbid one process to read another's memory.
if grep -q '^Seccomp:[[:space:]]*2' /proc/self/status; then
  flags+=(--mca btl_vader_single_copy_mechanism none)
fi

# shellcheck source=launch/stoppable.bash
source "$(dirname "$0")/stoppable.bash"
program=$(basename "$ballast")
set -m
export OMP_NUM_THREADS=1
run_stoppable mpirun -n "$ranks" "${flags[@]}" "$ballast" train --config "$config" "$@"
