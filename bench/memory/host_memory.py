#!/usr/bin/env python3
"""Host memory of a training of 100 million parameters: planned, and measured while it runs.

usage: host_memory.py BALLAST [--ranks 1,4] [--backend region,mpi] [--dataset FILE]

BALLAST is the program. For each backend and rank count a training of four steps is started; in its
third all ranks are stopped for a moment and their proportional set sizes (shared pages count once)
are added up. Without --dataset a synthetic one with a vocabulary of 16,384 is made first. Takes some
GiB of memory and a few minutes.
"""
import argparse
import os
import random
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

CLASSES = ["parameters", "gradients", "optimizer", "transient", "activations", "scratch"]
SHARDED = CLASSES[:3]
MODEL = {
    "model.dim": 768, "model.layers": 10, "model.heads": 12, "model.kv_heads": 12,
    "model.ffn": 2048, "data.seq_len": 128, "data.micro_batch": 1, "run.steps": 4, "log.every": 1,
}
MIB = 1 << 20
MEASURED_AFTER_STEP = 2


def make_dataset(ballast, folder):
    """Random words of random syllables: enough of them for a vocabulary of 16,384 pieces."""
    draw = random.Random(1)
    syllables = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(60_000)]
    text = folder / "text.txt"
    with text.open("w") as out:
        for _ in range(30_000):
            out.write(" ".join(draw.choices(words, k=12)) + ".\n")
    dataset = folder / "text.h5"
    subprocess.run([ballast, "prepare", text, "--tokenizer", "sentencepiece:16384", "--output",
                    dataset], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return dataset


def options(keys):
    return [word for key, value in keys.items() for word in (f"--{key}", str(value))]


def planned(ballast, keys, ranks):
    """Bytes by class, from a dry run."""
    text = subprocess.run([ballast, "train", "--dry-run", "--ranks", str(ranks), *options(keys)],
                          check=True, capture_output=True, text=True).stdout
    return {name: int(re.search(rf"^  {name} .* ([\d,]+) bytes$", text, re.M)[1].replace(",", ""))
            for name in CLASSES}


def children(parent, name):
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):
            continue
        if fields["Name"] == name[:15] and int(fields["PPid"]) == parent:
            found.append(int(fields["Pid"]))
    return found


def proportional_set_size(process):
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1]) * 1024


def steps_logged(run_dir):
    log = run_dir / "log.jsonl"
    return log.read_text().count("\n") if log.exists() else 0


def measured(ballast, keys, ranks, run_dir):
    """Bytes of all ranks together in the step after MEASURED_AFTER_STEP."""
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), ballast, "train",
               *options(keys | {"run.dir": run_dir})]
    if os.geteuid() == 0:
        command.insert(1, "--allow-run-as-root")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as job:
        while steps_logged(run_dir) < MEASURED_AFTER_STEP:
            if job.poll() is not None:
                raise SystemExit(f"the training ended with {job.returncode}")
            time.sleep(0.01)
        processes = children(job.pid, Path(ballast).name)
        if len(processes) != ranks:
            raise SystemExit(f"{len(processes)} processes were found, not {ranks}")
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        total = sum(map(proportional_set_size, processes))
        for process in processes:
            os.kill(process, signal.SIGCONT)
        if job.wait() != 0:
            raise SystemExit(f"the training ended with {job.returncode}")
    return total


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("ballast")
    arguments.add_argument("--ranks", default="1,4")
    arguments.add_argument("--backend", default="region,mpi")
    arguments.add_argument("--dataset")
    given = arguments.parse_args()
    ballast = os.path.realpath(given.ballast)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = given.dataset or make_dataset(ballast, folder)
        rank_counts = [int(ranks) for ranks in given.ranks.split(",")]
        for backend in given.backend.split(","):
            print(f"{backend}, MiB on the host")
            print(f"{'ranks':>6}", *(f"{name:>12}" for name in CLASSES),
                  f"{'planned':>9} {'measured':>9} {'of plan':>8} {'beyond it, a rank':>18}")
            sharded = {}
            for ranks in rank_counts:
                keys = MODEL | {"data.path": dataset, "parallel.backend": backend,
                                "data.global_batch": max(rank_counts)}
                plan = planned(ballast, keys, ranks)
                total = sum(plan.values())
                found = measured(ballast, keys, ranks, folder / f"{backend}{ranks}")
                sharded[ranks] = sum(plan[name] for name in SHARDED)
                print(f"{ranks:>6}", *(f"{plan[name] / MIB:>12.1f}" for name in CLASSES),
                      f"{total / MIB:>9.1f} {found / MIB:>9.1f} {found / total:>8.3f} "
                      f"{(found - total) / MIB / ranks:>18.1f}", flush=True)
            first = rank_counts[0]
            for ranks in rank_counts[1:]:
                print(f"parameters, gradients and optimizer at {ranks} ranks: "
                      f"{sharded[ranks] / sharded[first]:.4f} of those at {first}")


if __name__ == "__main__":
    main()
