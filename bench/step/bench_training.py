"""Trainings of the bench model, as the benchmarks of whole steps run them."""
import json
import os
import re
import statistics
import subprocess
from pathlib import Path

WARM_UP_STEPS = 2
CONFIG = Path(__file__).resolve().parent / "bench_model.ini"
SEQUENCES_A_RANK = 8
ONE_CORE_EACH = ("--map-by", "core", "--bind-to", "core")


def environment():
    """Without what holds OpenBLAS back, one thread a rank."""
    free = {k: v for k, v in os.environ.items()
            if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return free | {"OMP_NUM_THREADS": "1"}


def mpirun_command(ranks, *command, binding=ONE_CORE_EACH):
    flags = [*binding, *(["--allow-run-as-root"] if os.geteuid() == 0 else [])]
    return ["mpirun", "-n", str(ranks), *flags, *map(str, command)]


def mpirun(ranks, *command, tag_output=False):
    full = mpirun_command(ranks, *command)
    if tag_output:
        full.insert(1, "--tag-output")
    done = subprocess.run(full, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def prepare(build, folder):
    """The bench model's dataset: the King James Bible in 4,096 pieces."""
    text = subprocess.run(["bible", "Gen1:1-Rev22:21"], capture_output=True, check=True).stdout
    (folder / "text.txt").write_bytes(text)
    data = folder / "text.h5"
    subprocess.run([build / "ballast", "prepare", "--input", folder / "text.txt", "--output", data,
                    "--tokenizer", "sentencepiece:4096"], check=True, capture_output=True)
    return data


def start(program, ranks, keys, data, run_dir, binding=ONE_CORE_EACH, waves=1):
    """A training with as much work for each rank, however many they are: one leaf a wave."""
    command = mpirun_command(ranks, program, "train", "--config", CONFIG, "--data.path", data,
                             "--run.dir", run_dir, "--data.global_batch",
                             waves * SEQUENCES_A_RANK * ranks, *keys, binding=binding)
    return subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def records(training, run_dir):
    """The logged steps of a started training, once it has ended, without those that warm up."""
    _, problem = training.communicate()
    if training.returncode != 0:
        raise SystemExit(f"a training ended with {training.returncode}:\n{problem}")
    lines = (run_dir / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines][WARM_UP_STEPS:]


def median_rate(steps):
    return statistics.median(step["tokens_per_s"] for step in steps)


def state_hash(run_dir):
    """Of a training that has ended."""
    return re.search(r"state hash ([0-9a-f]+)", (run_dir / "train.log").read_text()).group(1)
