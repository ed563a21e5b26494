#!/bin/bash
# From a fresh Debian 12 machine to a trained model: installs what is missing, builds, prepares the
# default corpus, trains it with two MPI ranks, evaluates, prints a sample. --short trains for a few
# steps in a temporary folder, to see that everything works.
set -euo pipefail
cd "$(dirname "$0")/.."

short=no
case "${1-}" in
  '') ;;
  --short) short=yes ;;
  *)
    echo "usage: launch/quickstart.sh [--short]" >&2
    exit 2
    ;;
esac

stage() {
  printf '\n[%2d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1"
}

stage "Packages"
launch/install.sh

stage "Build: build/release/ballast (some minutes the first time)"
mkdir -p build
if ! cmake --preset release >build/configure.log 2>&1; then
  tail -n 30 build/configure.log >&2
  echo "This machine cannot build it; the whole of what CMake said is in build/configure.log." >&2
  exit 1
fi
quiet=()
[[ -t 1 ]] || quiet=(-- --quiet)
cmake --build build/release --target ballast --parallel "$(nproc)" "${quiet[@]}"

work=. options=()
run=runs/quickstart
if [[ $short == yes ]]; then
  work=$(mktemp -d "${TMPDIR:-/tmp}/ballast-quickstart.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  run=$work/run
  options=(--run.steps 6 --schedule.warmup 2 --eval.every 0 --log.every 1)
fi
# Earlier runs are results: a new one gets a name of its own.
for ((number = 2; ; number++)); do
  [[ -e $run ]] || break
  run=runs/quickstart-$number
done
data=$work/data/bible-2048.h5

stage "Corpus: the King James Bible, in 2,048 pieces"
if [[ ! -e $data ]]; then
  mkdir -p "$(dirname "$data")"
  bible 'Gen1:1-Rev22:21' |
    build/release/ballast prepare --input - --output "$data" --tokenizer sentencepiece:2048
fi

stage "Training in $run, two ranks"
launch/local.sh 2 launch/configs/quickstart.ini --data.path "$data" --run.dir "$run" "${options[@]}"

stage "Evaluation on the held-out text (bzip2 -9 needs 1.786 bits per byte for the whole)"
build/release/ballast eval --checkpoint "$run"

stage "A sample"
build/release/ballast generate --checkpoint "$run" --prompt 'In the beginning'

stage "A picture of the run"
build/release/ballast report "$run"

stage "The model for llama.cpp and Ollama"
build/release/ballast export --checkpoint "$run" --format gguf --dtype f16 --output "$run/model.gguf"

stage "Done"
[[ $short == no ]] || exit 0
cat <<END
The run lies in $run: log.jsonl and train.log (what was logged), config.resolved.ini (what was
asked for), report.html (how it went), checkpoints/ (the model), model.gguf (the same for other programs).

What next:
  more steps     launch/local.sh 2 $run/config.resolved.ini --run.steps 1500 --checkpoint.resume true
  your own text  build/release/ballast prepare --input FOLDER --output data/mine.h5
                 launch/local.sh 2 launch/configs/quickstart.ini --data.path data/mine.h5 --run.dir runs/mine
  more ranks     launch/local.sh 4 ...   on several hosts: launch/hosts.sh, launch/slurm.sbatch
  another sample build/release/ballast generate --checkpoint $run --prompt 'And it came to pass'
  llama.cpp      llama-cli -m $run/model.gguf -p 'And it came to pass'
  Ollama         echo "FROM $run/model.gguf" > Modelfile && ollama create first && ollama run first
  transformers   build/release/ballast export --checkpoint $run --output models/first
END
