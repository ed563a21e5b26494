#!/bin/bash
# For slurm.sbatch and slurm-srun.sbatch: a training that queues itself again once it has saved.
# shellcheck source=launch/stoppable.bash
source launch/stoppable.bash

# option KEY WORDS...: the value of --KEY in WORDS, or nothing.
option() {
  local key=$1
  shift
  while (($#)); do
    case $1 in
      "--$key") echo "${2-}" ;;
      "--$key="*) echo "${1#*=}" ;;
    esac
    shift
  done
}

# without_option KEY WORDS...: sets words to WORDS without --KEY and its value.
without_option() {
  local key=$1
  shift
  words=()
  while (($#)); do
    case $1 in
      "--$key") shift ;;
      "--$key="*) ;;
      *) words+=("$1") ;;
    esac
    shift || true
  done
}

# run_directory CONFIG WORDS...: what the options say, else [run] dir of the file.
run_directory() {
  local dir
  dir=$(option run.dir "${@:2}")
  [[ -n $dir ]] || dir=$(awk '
    /^[[:space:]]*\[/ { in_run = /\[[[:space:]]*run[[:space:]]*\]/ }
    in_run && sub(/^[[:space:]]*dir[[:space:]]*=[[:space:]]*/, "") {
      sub(/[[:space:]]+#.*/, ""); gsub(/^"|"[[:space:]]*$/, ""); print
    }' "$1")
  echo "$dir"
}

# set_words CONFIG WORDS...: sets words to what the program gets. A job goes on from the newest
# checkpoint of its run directory. What the user says of it instead holds until the job has saved
# there itself: a checkpoint to begin with must not be begun with again in every slice.
set_words() {
  local dir saved
  words=("${@:2}")
  if [[ -n $(option checkpoint.resume "${words[@]}") ]]; then
    ((${SLURM_RESTART_COUNT-0} > 0)) || return 0
    dir=$(run_directory "$@")
    saved=("$dir"/checkpoints/step-*/manifest.json)
    [[ -n $dir && -e ${saved[0]} ]] || return 0
    without_option checkpoint.resume "${words[@]}"
  fi
  words+=(--checkpoint.resume true)
}

# train_and_requeue LAUNCHER... -- CONFIG WORDS...: does not return.
train_and_requeue() {
  local start=() words=() code=0 ballast=${BALLAST:-build/release/ballast}
  local program=${ballast##*/}
  while [[ $1 != -- ]]; do
    start+=("$1")
    shift
  done
  shift
  set_words "$@"
  run_stoppable "${start[@]}" "$ballast" train --config "$1" "${words[@]}" || code=$?
  # SIGTERM is how Slurm ends a job that was canceled; that one must not come back.
  if ((code == 75)) && [[ $signals_seen != *" TERM "* ]]; then
    scontrol requeue "$SLURM_JOB_ID" || echo "saved, but the job could not be queued again" >&2
  fi
  exit "$code"
}
