#!/bin/sh
# kill_region.sh COMMAND...: starts the probe, kills launcher and ranks where they stand, and
# looks for what is left of the memory that they shared.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# What MPI itself leaves behind goes the same way as the folder.
OMPI_MCA_btl_vader_backing_directory=$folder TMPDIR=$folder "$@" >"$folder/output" 2>&1 </dev/null &
launcher=$!
waited=0
until [ "$(grep -c '^filled by' "$folder/output")" -eq 3 ]; do
  waited=$((waited + 1))
  if [ "$waited" -gt 300 ]; then
    cat "$folder/output"
    echo "kill_region: the probe did not start"
    kill -9 "$launcher"
    exit 1
  fi
  sleep 0.1
done
ranks=$(sed -n 's/^filled by //p' "$folder/output")
# shellcheck disable=SC2086  # several numbers
kill -9 "$launcher" $ranks
wait "$launcher" 2>/dev/null
for rank in $ranks; do
  while [ -e "/proc/$rank/maps" ] && grep -q memfd "/proc/$rank/maps" 2>/dev/null; do sleep 0.1; done
done
left=$(grep -rl 'ballast fills its shared memory' "$folder" /dev/shm 2>/dev/null)
if [ -n "$left" ]; then
  echo "kill_region: left behind: $left"
  exit 1
fi
