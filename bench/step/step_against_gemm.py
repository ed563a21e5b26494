#!/usr/bin/env python3
"""Tokens per second of whole training steps, as a share of the GEMM ceiling of the same minutes.

usage: step_against_gemm.py BUILD [--ranks N] [--blocks N] [--precision fp32|bf16] [KEY VALUE ...]

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


def mpirun(ranks, *command, tag_output=False):
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    environment["OMP_NUM_THREADS"] = "1"
    flags = ["--map-by", "core", "--bind-to", "core"]
    if tag_output:
        flags.append("--tag-output")
    if os.geteuid() == 0:
        flags.append("--allow-run-as-root")
    done = subprocess.run(["mpirun", "-n", str(ranks), *flags, *map(str, command)],
                          env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def ceiling(build, ranks, precision):
    """Summed GFLOP/s over the ranks of the better library, median of its steps."""
    rates, library = {}, {}
    for line in mpirun(ranks, build / "bench_gemm", 3, precision, tag_output=True).splitlines():
        rank, _, text = line.partition("<stdout>:")
        if text and not text.startswith(" "):
            library[rank] = text.split()[0]
        found = re.search(r"median.* all +([0-9.]+) GFLOP/s", text)
        if found:
            rates.setdefault(library[rank], []).append(float(found.group(1)))
    sums = {library: sum(rank_rates) for library, rank_rates in rates.items()}
    best = max(sums, key=sums.get)
    return best, sums[best]


def training(build, ranks, keys, data, folder, block):
    run_dir = folder / f"run{block}"
    mpirun(ranks, build / "ballast", "train", "--config", Path(__file__).parent / "bench_model.ini",
           "--data.path", data, "--run.dir", run_dir, "--data.global_batch", 8 * ranks, *keys)
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
    options, keys = parser.parse_known_args()
    keys += ["--precision.param", options.precision]
    build = options.build.resolve()
    shares, rates, ceilings = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = subprocess.run(["bible", "Gen1:1-Rev22:21"], capture_output=True, check=True).stdout
        (folder / "text.txt").write_bytes(text)
        data = folder / "text.h5"
        subprocess.run([build / "ballast", "prepare", "--input", folder / "text.txt", "--output",
                        data, "--tokenizer", "sentencepiece:4096"],
                       check=True, capture_output=True)
        for block in range(options.blocks):
            library, before = ceiling(build, options.ranks, options.precision)
            rate, work, skew, memory = training(build, options.ranks, keys, data, folder, block)
            _, after = ceiling(build, options.ranks, options.precision)
            mean = (before + after) / 2
            share = rate * FLOP_PER_TOKEN * 1e-9 / mean
            print(f"block {block}: ceiling {mean:6.1f} GFLOP/s ({library}), {rate:7.0f} tokens/s, "
                  f"share {share:.3f}, communication {work:.1%} + skew {skew:.1%}, "
                  f"{memory:.0f} MiB a rank", flush=True)
            shares.append(share)
            rates.append(rate)
            ceilings.append(mean)
    print(f"median: ceiling {statistics.median(ceilings):.1f} GFLOP/s over {options.ranks} ranks "
          f"({statistics.median(ceilings) / FLOP_PER_TOKEN * 1e9:.0f} tokens/s), "
          f"{statistics.median(rates):.0f} tokens/s, share {statistics.median(shares):.3f}")


if __name__ == "__main__":
    main()
