#!/usr/bin/env python3
"""Weak scaling: one job of N ranks beside N jobs of one rank, at the same time on the same cores.

usage: weak_scaling.py BUILD [--ranks 1,2,4] [--blocks N] [--precision fp32|bf16] [--data FILE]
                       [--processors LIST] [KEY VALUE ...]

Every rank trains the bench model on the same number of tokens a step. N independent jobs use the
machine's memory and clock as one job of N does, but have nothing to do with one another: what the
job falls short of them is what working together costs. A job whose ranks do not help one another
(--parallel.helpers 0) is as fast as the slowest core of each step, whatever trains: so beside the sum
of the independent jobs stands what they would make if all waited, in every step, for the slowest of
that step. On cores of even speed the two are equal. Both run in turns; medians of the blocks. BUILD is a release build folder. Ranks take a core each, and the
second hardware threads of cores only where there are more ranks than cores; a virtual machine may
hide which are which: then name the processors. Leave the machine alone meanwhile.
"""
import argparse
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "step"))
from bench_training import median_rate, prepare, records, start  # noqa: E402


def on(cores):
    """One rank on each of them: bound to core, each would have the whole set (Open MPI 4.1)."""
    return ["--cpu-set", ",".join(map(str, cores)), "--bind-to", "cpu-list:ordered"]


def processors():
    """Those that this process may use: one of each core, then its other hardware threads."""
    allowed = sorted(os.sched_getaffinity(0))
    taken = {}

    def turn(cpu):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = siblings.read_text() if siblings.exists() else str(cpu)
        taken[core] = taken.get(core, -1) + 1
        return taken[core]

    turns = {cpu: turn(cpu) for cpu in allowed}
    return sorted(allowed, key=lambda cpu: (turns[cpu], cpu))


def together(build, ranks, keys, data, folder, cores):
    run_dir = folder / "together"
    job = start(build / "ballast", ranks, keys, data, run_dir, binding=on(cores[:ranks]))
    return median_rate(records(job, run_dir))


@dataclass(frozen=True)
class Block:
    together: float  # tokens a second
    alone: float
    in_step: float  # the independent jobs, if each step took as long as the slowest job's


def alone(build, ranks, keys, data, folder, cores):
    """Independent jobs that run at once: their sum, and what they would make in step."""
    dirs = [folder / f"alone{i}" for i in range(ranks)]
    jobs = [start(build / "ballast", 1, keys, data, dirs[i], binding=on([cores[i]]))
            for i in range(ranks)]
    logs = [records(job, run_dir) for job, run_dir in zip(jobs, dirs)]
    tokens = logs[0][0]["tokens_per_s"] * logs[0][0]["step_s"]
    slowest = statistics.median(max(step["step_s"] for step in steps) for steps in zip(*logs))
    return sum(map(median_rate, logs)), ranks * tokens / slowest


def measure(build, ranks, blocks, keys, data, cores):
    found = []
    for block in range(blocks):
        with tempfile.TemporaryDirectory() as temporary:
            order = [together, alone] if block % 2 == 0 else [alone, together]
            figures = {run: run(build, ranks, keys, data, Path(temporary), cores) for run in order}
        b = Block(figures[together], *figures[alone])
        found.append(b)
        print(f"  {ranks} ranks, block {block}: {b.together:8.0f} together, {b.alone:8.0f} alone, "
              f"{b.together / b.alone:.3f}; {b.in_step:8.0f} in step, "
              f"{b.together / b.in_step:.3f}", flush=True)
    return found


def median_of(blocks, figure):
    return statistics.median(map(figure, blocks))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--data", type=Path, help="a dataset of 4,096 pieces; made where not given")
    parser.add_argument("--processors", help="by number, in the order in which ranks take them")
    options, keys = parser.parse_known_args()
    keys += ["--precision.param", options.precision]
    build = options.build.resolve()
    cores = [int(n) for n in options.processors.split(",")] if options.processors else processors()
    with tempfile.TemporaryDirectory() as temporary:
        data = options.data.resolve() if options.data else prepare(build, Path(temporary))
        rows = []
        for ranks in map(int, options.ranks.split(",")):
            rows.append((ranks, measure(build, ranks, options.blocks, keys, data, cores)))
    print("ranks  tokens/s together  N jobs alone  weak scaling  alone in step  together / in step")
    for ranks, blocks in rows:
        print(f"{ranks:5}  {median_of(blocks, lambda b: b.together):17.0f}"
              f"  {median_of(blocks, lambda b: b.alone):12.0f}"
              f"  {median_of(blocks, lambda b: b.together / b.alone):12.3f}"
              f"  {median_of(blocks, lambda b: b.in_step):13.0f}"
              f"  {median_of(blocks, lambda b: b.together / b.in_step):18.3f}")


if __name__ == "__main__":
    main()
