#!/bin/bash
# Fetches the packages that tests compare with (requirements.txt, some 40 MB from the Python package
# index) into build/comparisons, a virtual environment that nothing else uses; ctest finds it there.
# Does nothing where they are there already. Ends well where they cannot be had: those tests are
# then skipped, and say so.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
wanted=$root/tests/comparisons/requirements.txt
folder=$root/build/comparisons
if [[ -f $folder/installed.txt && $(<"$folder/installed.txt") == "$(<"$wanted")" ]]; then
  exit 0
fi

fetch() {
  mkdir -p "$root/build" && python3 -m venv --clear --system-site-packages "$folder" &&
    "$folder/bin/python" -m pip install --disable-pip-version-check --retries 1 --timeout 20 \
      --only-binary :all: -r "$wanted"
}

echo "fetching the packages that tests compare with"
if ! said=$(fetch 2>&1); then
  rm -rf "$folder"
  echo "they cannot be had, so tests that need them are skipped: $(tail -n 1 <<<"$said")"
  exit 0
fi
cp "$wanted" "$folder/installed.txt"
