#!/bin/bash
# Trains on the hosts of a host file, one single-threaded rank for each of their slots:
#   launch/hosts.sh HOSTFILE CONFIG [--key value ...]
# A host file has lines such as `node01 slots=16`, slots being the cores to use. Every host needs
# this folder and the run directory under the same path, and ssh without a password between them.
# BALLAST names another binary than build/release/ballast; MPIRUN_FLAGS adds to mpirun's flags,
# such as `--mca btl_tcp_if_include 10.0.0.0/8` where hosts have several networks.
# Ctrl-C, SIGTERM, SIGHUP and SIGUSR1, any number of them, save the state and end with code 75.
set -euo pipefail
if (($# < 2)); then
  echo "usage: launch/hosts.sh HOSTFILE CONFIG [--key value ...]" >&2
  exit 2
fi
hostfile=$1 config=$2
shift 2
ballast=${BALLAST:-$(realpath "$(dirname "$0")/../build/release/ballast")}
read -ra flags <<<"${MPIRUN_FLAGS-}"
if (($(id -u) == 0)); then
  flags+=(--allow-run-as-root)
fi

# shellcheck source=launch/stoppable.bash
source "$(dirname "$0")/stoppable.bash"
program=$(basename "$ballast")
set -m
export OMP_NUM_THREADS=1
run_stoppable mpirun --hostfile "$hostfile" --map-by core --bind-to core -x OMP_NUM_THREADS "${flags[@]}" \
  "$ballast" train --config "$config" "$@"
