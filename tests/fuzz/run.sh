#!/bin/bash
# Looks for inputs that crash, hang or take much memory: tests/fuzz/run.sh SECONDS [FORMAT...]
# builds libFuzzer with sanitizers (preset `fuzz`) and runs it for so long over each format (all of
# them unless some are named), one after the other. Says for each how many inputs it tried, the
# slowest and the peak of memory, sanitizers included. What it finds stays in build/fuzz/findings;
# what led it on, in build/fuzz/corpus, from where the next run goes on.
set -euo pipefail
cd "$(dirname "$0")/../.."

if (($# == 0)); then
  sed -n '2,6s/^# //p' "$0" >&2
  exit 2
fi
seconds=$1
shift

[[ -f build/fuzz/build.ninja ]] || cmake --preset fuzz
cmake --build --preset fuzz
formats=("$@")
if ((${#formats[@]} == 0)); then
  mapfile -t formats < <(ls tests/fuzz/corpus)
fi

# Nothing is waited for: an input of 1 s on an idle core is a finding, and 5 s allow for busy ones.
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
findings=build/fuzz/findings
mkdir -p "$findings"
total=0
failed=0
for format in "${formats[@]}"; do
  corpus=build/fuzz/corpus/$format
  log=build/fuzz/$format.log
  mkdir -p "$corpus"
  result=whole
  build/fuzz/libfuzzer "$format" -max_total_time="$seconds" -max_len=131072 -timeout=5 \
    -rss_limit_mb=512 -malloc_limit_mb=0 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="$findings/$format-" "$corpus" "tests/fuzz/corpus/$format" \
    >"$log" 2>&1 || result="FAILED, see $log"
  [[ $result == whole ]] || failed=1
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$log")
  memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
  printf '%-18s %10s inputs, slowest %s s, peak %s MiB: %s\n' \
    "$format" "${inputs:-?}" "${slowest:-?}" "${memory:-?}" "$result"
  total=$((total + ${inputs:-0}))
done
printf '%-18s %10s inputs\n' all "$total"
exit "$failed"
