#!/bin/bash
# For the scripts beside it: run_stoppable COMMAND... runs mpirun or srun, and returns its exit code.
# SIGUSR1, SIGTERM, SIGINT and SIGHUP to the script, any number of them, become SIGUSR1 to COMMAND,
# which is what it passes on to all ranks: they save and end with 75. Under `set -m` COMMAND has a
# process group of its own, and Ctrl-C reaches the script alone.

signals_seen=${signals_seen-" "} # names of those that came, each with blanks around it
program=ballast # what COMMAND starts; scripts that start another say so
job='' insisting=''

# mpirun drops a signal that comes before its daemons are there, or dies of it. They are once it has
# started ranks; where it starts none on this host, after half a minute.
await_ranks() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    ! pgrep --parent "$1" --exact "${program:0:15}" || return 0
    sleep 0.1
  done
}

# Repeats the signal until COMMAND is over, for ranks that start one after another.
insist() {
  trap '' USR1 TERM INT HUP
  [[ $launcher != mpirun ]] || await_ranks "$1"
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

# The exit code of a training that a launcher ended with code $1. 138 is SIGUSR1 that met a rank before
# the first line of its program. After a signal, what is no code of the program is of a launcher that
# it met as early.
code_after_signals() {
  case $1 in
    0 | 2 | 3 | 4 | 70 | 75) echo "$1" ;;
    138) echo 75 ;;
    *) [[ $signals_seen == " " ]] && echo "$1" || echo 75 ;;
  esac
}

run_stoppable() {
  local signal code=0 launcher=$1
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
  local answer
  answer=$(code_after_signals "$code")
  if ((answer != code)); then
    echo "$launcher ended with code $code as a signal came, maybe before a save; the same command" \
      "goes on from the last checkpoint" >&2
  fi
  return "$answer"
}
