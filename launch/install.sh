#!/bin/bash
# Installs the Debian 12 packages that Ballast needs and that are missing; with --tests also those
# that its tests, benchmarks and style checks need, and into build/ what its tests compare with
# (tests/comparisons/install.sh). Calls apt only when something is missing.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkgconf
  openmpi-bin libopenmpi-dev procps
  libopenblas-serial-dev libdnnl-dev ocl-icd-opencl-dev # the last: libdnnl-dev asks CMake for it
  libhdf5-dev zlib1g-dev libboost-program-options-dev libfmt-dev nlohmann-json3-dev libxxhash-dev
  libsentencepiece-dev
  bible-kjv bible-kjv-text # the default corpus
)
test_packages=(
  libgtest-dev libbenchmark-dev
  python3 python3-numpy python3-torch # the parity tests compare with PyTorch
  python3-venv                        # for tests/comparisons
  iproute2 nftables util-linux        # hosts as network namespaces, their links
  slurm-wlm munge                     # a Slurm on them
  clang-format clang-tidy shellcheck
  libclang-rt-14-dev # libFuzzer, for tests/fuzz/run.sh
)

# What is no package of Debian's.
fetch_comparisons() { :; }
case "${1-}" in
  '') ;;
  --tests)
    packages+=("${test_packages[@]}")
    fetch_comparisons() { "$(dirname "$0")/../tests/comparisons/install.sh"; }
    ;;
  *)
    echo "usage: launch/install.sh [--tests]" >&2
    exit 2
    ;;
esac

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null || true)
  [[ " $status" == *" installed "* ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  fetch_comparisons
  exit 0
fi

as_root=()
if ! command -v apt-get >/dev/null; then
  problem="there is no apt-get here"
elif (($(id -u) != 0)); then
  as_root=(sudo)
  if ! command -v sudo >/dev/null; then
    problem="only root can install them, and there is no sudo"
  elif [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; then
    problem="sudo needs a password and there is no terminal to ask for it"
  fi
fi
if [[ -n "${problem-}" ]]; then
  {
    echo "These packages are missing, and $problem."
    echo "Install them (names as in Debian 12), then start again:"
    printf '  %s\n' "${missing[@]}"
  } >&2
  exit 1
fi

log=$(mktemp "${TMPDIR:-/tmp}/ballast-install.XXXXXX")
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 "$@" \
    >>"$log" 2>&1 && return
  tail -n 20 "$log" >&2
  echo "apt-get $1 failed; the whole of what it said is in $log" >&2
  exit 1
}
echo "installing ${#missing[@]} packages and what they depend on: ${missing[*]}"
apt update
apt install -y --no-install-recommends "${missing[@]}"
rm -f "$log"
fetch_comparisons
