#!/bin/sh
# expect_end.sh CODE PATTERN COMMAND...: the command must end by itself, with this exit code, and a
# line of what it prints must match the pattern (extended, as grep -E takes it).
code=$1
pattern=$2
shift 2
output=$(timeout 40 "$@" 2>&1 </dev/null)
ended=$?
printf '%s\n' "$output"
if [ "$ended" -ne "$code" ]; then
  echo "expect_end: exit code $ended, expected $code"
  exit 1
fi
if ! printf '%s\n' "$output" | grep -Eq -- "$pattern"; then
  echo "expect_end: no line matches: $pattern"
  exit 1
fi
