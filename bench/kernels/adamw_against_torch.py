#!/usr/bin/env python3
"""AdamW beside torch's fused one: bytes a second of both, one thread, tensors of one size.

usage: adamw_against_torch.py BUILD [--blocks N] [--output FILE]

Run with a Python that has torch, on one core ("taskset -c 1"). bench_kernels and
torch.optim.AdamW(fused=True) update 4 Mi fp32 elements in turns; both are counted with the same four
reads and three writes. The split masters of bf16 training have no counterpart in torch, and stand
beside its fp32. BUILD is a release build folder with benchmarks.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

sys.path += [str(Path(__file__).resolve().parents[1] / "peers")]
from estimates import ratio  # noqa: E402

ELEMENTS = 1 << 22
BYTES = 28 * ELEMENTS
TURNS = 8  # copies used in turn, so that caches hold none of them, as in bench_kernels
REPETITIONS = 5
OURS = ("adamw/fp32", "adamw/split", "plain_loop")
TORCH = "torch fused"


def ours(build):
    """Median bytes a second by kernel."""
    done = subprocess.run(
        [build / "bench_kernels", "--benchmark_filter=^(adamw/(fp32|split)|plain_loop)$",
         f"--benchmark_repetitions={REPETITIONS}", "--benchmark_enable_random_interleaving=true",
         "--benchmark_min_time=0.05", "--benchmark_report_aggregates_only=true",
         "--benchmark_format=json"], check=True, capture_output=True, text=True)
    report = json.loads(done.stdout[done.stdout.index("{"):])
    return {row["run_name"]: row["B/s"] for row in report["benchmarks"]
            if row["aggregate_name"] == "median"}


def make_optimizers():
    optimizers = []
    for _ in range(TURNS):
        weight = torch.nn.Parameter(torch.randn(ELEMENTS))
        weight.grad = torch.randn(ELEMENTS)
        optimizers.append(torch.optim.AdamW([weight], lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1,
                                            fused=True))
        optimizers[-1].step()
    return optimizers


def theirs(optimizers):
    """Median bytes a second."""
    seconds = []
    for optimizer in optimizers * REPETITIONS:
        start = time.perf_counter()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return BYTES / statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--output", type=Path, help="the figures as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    optimizers = make_optimizers()
    rates = {name: [] for name in (*OURS, TORCH)}
    for _ in range(options.blocks):
        for name, rate in (ours(options.build) | {TORCH: theirs(optimizers)}).items():
            rates[name].append(rate)
    print(f"torch {torch.__version__} fused: {statistics.median(rates[TORCH]) * 1e-9:.1f} GB/s")
    rows = []
    for name in OURS:
        share = ratio(rates[name], rates[TORCH])
        rows.append({"name": name, "rates": rates[name], "torch": rates[TORCH],
                     "ratio": asdict(share)})
        print(f"{name}: {statistics.median(rates[name]) * 1e-9:.1f} GB/s, {share.text(3)} of torch's")
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
