#!/bin/bash
# Makes the virtual environment that the peers run in: some gigabytes from PyPI.
# usage: install.sh [FOLDER, build/peers/venv by default] [--deepspeed]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$root/build/peers/venv
packages=(torch numpy h5py matplotlib)
for argument in "$@"; do
  case "$argument" in
    --deepspeed) packages+=(deepspeed) ;;
    -*)
      echo "usage: install.sh [FOLDER] [--deepspeed]" >&2
      exit 2
      ;;
    *) folder=$argument ;;
  esac
done

python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --upgrade "${packages[@]}"
"$folder/bin/python" -c 'import torch; print("torch", torch.__version__)'
echo "ready: $folder/bin/python"
