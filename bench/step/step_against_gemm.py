#!/usr/bin/env python3
"""Tokens per second of whole training steps, as a share of the GEMM ceiling of the same minutes.

usage: step_against_gemm.py BUILD [--ranks N] [--blocks N] [--precision fp32|bf16] [--data FILE]
                            [--gemm-steps N] [KEY VALUE ...]

Interleaves blocks of bench_gemm (the ceiling: nothing but a step's matrix products, the best of the
libraries, all ranks at once) with short trainings of the bench model, and prints medians. BUILD is a
release build folder with benchmarks; keys and values go to the training ("--parallel.backend mpi").
Where cores change their speed from minute to minute, many short blocks say more than a few long ones:
"--blocks 9 --gemm-steps 1 --run.steps 4". Leave the machine alone meanwhile.
"""
import argparse
import re
import statistics
import tempfile
from functools import partial
from pathlib import Path

from bench_training import median_rate, mpirun, prepare, records, start

# Matrix products 6 x 27.4 M, causal attention 6 x layers x seq_len x dim.
FLOP_PER_TOKEN = 6 * (8 * (4 * 512 * 512 + 3 * 512 * 1376) + 4096 * 512) + 6 * 8 * 256 * 512


def ceilings(build, ranks, precision, steps=3):
    """GFLOP/s summed over the ranks, by library: medians of its steps."""
    rates, library = {}, {}
    for line in mpirun(ranks, build / "bench_gemm", steps, precision, tag_output=True).splitlines():
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


def training(build, ranks, keys, data, folder, block):
    run_dir = folder / f"run{block}"
    timed = records(start(build / "ballast", ranks, keys, data, run_dir), run_dir)
    return (median_rate(timed),
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
    parser.add_argument("--gemm-steps", type=int, default=3, help="of each library in a ceiling")
    options, keys = parser.parse_known_args()
    keys += ["--precision.param", options.precision]
    build = options.build.resolve()
    blocks = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = options.data.resolve() if options.data else prepare(build, folder)
        ceilings_now = partial(ceilings, build, options.ranks, options.precision,
                               options.gemm_steps)
        after = ceilings_now()
        for number in range(options.blocks):
            before = after
            rate, work, skew, memory = training(build, options.ranks, keys, data, folder, number)
            after = ceilings_now()
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
