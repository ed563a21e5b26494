#!/usr/bin/env python3
"""Weak scaling: one job of N ranks beside N jobs of one rank, at the same time on the same cores.

usage: weak_scaling.py BUILD [--ranks 1,2,4] [--blocks N] [--precision fp32|bf16] [--data FILE]
                       [KEY VALUE ...]

Every rank trains the bench model on the same number of tokens a step. N independent jobs use the
machine's memory and clock as one job of N does, but have nothing to do with one another: what the
job falls short of them is what working together costs. Both run in turns; medians of the blocks.
BUILD is a release build folder. Leave the machine alone meanwhile.
"""
import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "step"))
from bench_training import median_rate, prepare, records, start  # noqa: E402


def on(cores):
    """One rank on each of them: bound to core, each would have the whole set (Open MPI 4.1)."""
    return ["--cpu-set", ",".join(map(str, cores)), "--bind-to", "cpu-list:ordered"]


def together(build, ranks, keys, data, folder, cores):
    run_dir = folder / "together"
    job = start(build / "ballast", ranks, keys, data, run_dir, binding=on(cores[:ranks]))
    return median_rate(records(job, run_dir))


def alone(build, ranks, keys, data, folder, cores):
    """The sum of independent jobs that run at once."""
    dirs = [folder / f"alone{i}" for i in range(ranks)]
    jobs = [start(build / "ballast", 1, keys, data, dirs[i], binding=on([cores[i]]))
            for i in range(ranks)]
    return sum(median_rate(records(job, run_dir)) for job, run_dir in zip(jobs, dirs))


def measure(build, ranks, blocks, keys, data, cores):
    pairs = []
    for block in range(blocks):
        with tempfile.TemporaryDirectory() as temporary:
            order = [together, alone] if block % 2 == 0 else [alone, together]
            figures = {run: run(build, ranks, keys, data, Path(temporary), cores) for run in order}
        pairs.append((figures[together], figures[alone]))
        print(f"  {ranks} ranks, block {block}: {pairs[-1][0]:8.0f} together, {pairs[-1][1]:8.0f} "
              f"alone, {pairs[-1][0] / pairs[-1][1]:.3f}", flush=True)
    return pairs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--data", type=Path, help="a dataset of 4,096 pieces; made where not given")
    options, keys = parser.parse_known_args()
    keys += ["--precision.param", options.precision]
    build = options.build.resolve()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as temporary:
        data = options.data.resolve() if options.data else prepare(build, Path(temporary))
        rows = []
        for ranks in map(int, options.ranks.split(",")):
            pairs = measure(build, ranks, options.blocks, keys, data, cores)
            rows.append((ranks, pairs))
    print("ranks  tokens/s together  N jobs alone  weak scaling (median of blocks)")
    for ranks, pairs in rows:
        joint, apart = (statistics.median(column) for column in zip(*pairs))
        share = statistics.median(t / a for t, a in pairs)
        print(f"{ranks:5}  {joint:17.0f}  {apart:12.0f}  {share:.3f}")


if __name__ == "__main__":
    main()
