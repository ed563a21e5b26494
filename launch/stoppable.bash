#!/bin/bash
# For the scripts beside it: run_stoppable COMMAND... runs mpirun or srun, and returns its exit code.
# SIGUSR1, SIGTERM, SIGINT and SIGHUP to the script, any number of them, become SIGUSR1 to COMMAND,
# which is what it passes on to all ranks: they save and end with 75. Under `set -m` COMMAND has a
# process group of its own, and Ctrl-C reaches the script alone.

signals_seen=" " # names of those that came, each with blanks around it
job='' insisting=''

# mpirun drops a signal that comes before its ranks are there, so it is repeated.
insist() {
  trap '' USR1 TERM INT HUP
  while kill -USR1 "$1"; do
    sleep 1
  done
}

pass_on() {
  [[ -n $job && -z $insisting ]] || return 0
  insist "$job" </dev/null >/dev/null 2>&1 &
  insisting=$!
  disown "$insisting"
}

note_signal() {
  signals_seen+="$1 "
  pass_on
}

run_stoppable() {
  local signal code=0
  for signal in USR1 TERM INT HUP; do
    # shellcheck disable=SC2064 # the name as it is now
    trap "note_signal $signal" "$signal"
  done
  # Ignored until somebody handles it, also in what COMMAND starts.
  (trap '' USR1 && exec "$@") </dev/null &
  job=$!
  [[ $signals_seen == " " ]] || pass_on
  while kill -0 "$job" 2>/dev/null; do
    wait "$job" || true # a signal ends the wait, too
  done
  wait "$job" || code=$?
  [[ -z $insisting ]] || kill -KILL "$insisting"
  # 128 + SIGUSR1: it met a rank before the first line of its program, so before any step.
  ((code != 138)) || code=75
  return "$code"
}
