#!/usr/bin/env python3
"""Tokens per second of whole training steps, as a share of the GEMM ceiling of the same minutes.

usage: step_against_gemm.py BUILD [--ranks N] [--blocks N] [--precision fp32|bf16] [--data FILE]
                            [KEY VALUE ...]

Interleaves blocks of bench_gemm (the ceiling: nothing but a step's matrix products, the best of the
libraries, all ranks at once) with short trainings of the bench model, and prints medians. BUILD is a
release build folder with benchmarks; keys and values go to the training ("--parallel.backend mpi").
Leave the machine alone meanwhile.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

# Matrix products 6 x 27.4 M, causal attention 6 x layers x seq_len x dim.
FLOP_PER_TOKEN = 6 * (8 * (4 * 512 * 512 + 3 * 512 * 1376) + 4096 * 512) + 6 * 8 * 256 * 512
WARM_UP_STEPS = 2
CONFIG = Path(__file__).resolve().parent / "bench_model.ini"


def environment():
    """Without what holds OpenBLAS back, one thread a rank."""
    free = {k: v for k, v in os.environ.items()
            if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return free | {"OMP_NUM_THREADS": "1"}


def mpirun_command(ranks, *command, binding=("--map-by", "core", "--bind-to", "core")):
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


def ceilings(build, ranks, precision):
    """GFLOP/s summed over the ranks, by library: medians of its steps."""
    rates, library = {}, {}
    for line in mpirun(ranks, build / "bench_gemm", 3, precision, tag_output=True).splitlines():
        rank, _, text = line.partition("<stdout>:")
        if text and not text.startswith(" "):
            library[rank] = text.split()[0]
        found = re.search(r"median.* all +([0-9.]+) GFLOP/s", text)
        if found:
            rates.setdefault(library[rank], []).append(float(found.group(1)))
    return {library: sum(rank_rates) for library, rank_rates in rates.items()}


def ceiling(build, ranks, precision):
    """The best of them, and its name."""
    sums = ceilings(build, ranks, precision)
    best = max(sums, key=sums.get)
    return best, sums[best]


def prepare(build, folder):
    """The bench model's dataset: the King James Bible in 4,096 pieces."""
    text = subprocess.run(["bible", "Gen1:1-Rev22:21"], capture_output=True, check=True).stdout
    (folder / "text.txt").write_bytes(text)
    data = folder / "text.h5"
    subprocess.run([build / "ballast", "prepare", "--input", folder / "text.txt", "--output", data,
                    "--tokenizer", "sentencepiece:4096"], check=True, capture_output=True)
    return data


def training(build, ranks, keys, data, folder, block):
    run_dir = folder / f"run{block}"
    mpirun(ranks, build / "ballast", "train", "--config", CONFIG, "--data.path", data,
           "--run.dir", run_dir, "--data.global_batch", 8 * ranks, *keys)
    records = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    timed = records[WARM_UP_STEPS:]
    return (statistics.median(r["tokens_per_s"] for r in timed),
            statistics.median(r["comm_work_s"] / r["step_s"] for r in timed),
            statistics.median(r["skew_s"] / r["step_s"] for r in timed),
            max(r["mem_peak_mib"] for r in timed))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--data", type=Path, help="a dataset of 4,096 pieces; made where not given")
    options, keys = parser.parse_known_args()
    keys += ["--precision.param", options.precision]
    build = options.build.resolve()
    blocks = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = options.data.resolve() if options.data else prepare(build, folder)
        for number in range(options.blocks):
            before = ceilings(build, options.ranks, options.precision)
            rate, work, skew, memory = training(build, options.ranks, keys, data, folder, number)
            after = ceilings(build, options.ranks, options.precision)
            block = {library: (before[library] + after[library]) / 2 for library in before}
            shares = ", ".join(f"{rate * FLOP_PER_TOKEN * 1e-9 / c:.3f} of {library}'s {c:.1f}"
                               for library, c in block.items())
            print(f"block {number}: {rate:7.0f} tokens/s, {shares} GFLOP/s, communication "
                  f"{work:.1%} + skew {skew:.1%}, {memory:.0f} MiB a rank", flush=True)
            blocks.append((rate, block))
    rate = statistics.median(rate for rate, _ in blocks)
    print(f"median: {rate:.0f} tokens/s on {options.ranks} ranks, "
          f"{rate * FLOP_PER_TOKEN * 1e-9:.1f} model GFLOP/s")
    for library in blocks[0][1]:
        rates = [c[library] for _, c in blocks]
        share = statistics.median(r * FLOP_PER_TOKEN * 1e-9 / c[library] for r, c in blocks)
        print(f"  {library:<9} ceiling {statistics.median(rates):6.1f} GFLOP/s, share {share:.3f}")


if __name__ == "__main__":
    main()
