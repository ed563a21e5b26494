#!/usr/bin/env python3
"""What the same-bits rules cost: ballast beside ballast_arrival, which sums in order of arrival.

usage: order_cost.py BUILD [--ranks N] [--blocks N] [--precision bf16,fp32] [--data FILE]
                     [--table FILE] [--steps N] [--output FILE] [KEY VALUE ...]

Both programs train the bench model in turns, a rank a core; the ratio of their tokens a second is
taken within each block. --table is one of `ballast tune`: ballast_arrival takes it and is then as
free in its matrix products as in its sums. First both train two steps of two waves: their states
must differ, or the second program is not what it claims to be. BUILD is a release build folder with
benchmarks. Leave the machine alone meanwhile.
"""
import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
sys.path += [str(BENCH / "step"), str(BENCH / "peers")]
from bench_training import median_rate, prepare, records, start, state_hash  # noqa: E402
from estimates import ratio  # noqa: E402

LEAF_ORDER, ARRIVAL = "ballast", "ballast_arrival"


class Pair:
    """The two programs, and what they train on."""

    def __init__(self, build, ranks, data, folder):
        self.build, self.ranks, self.data, self.folder = build, ranks, data, folder

    def train(self, program, steps, keys, waves=1):
        """The run directory and the timed steps of one training."""
        run_dir = Path(tempfile.mkdtemp(dir=self.folder))
        job = start(self.build / program, self.ranks, ["--run.steps", steps, *keys], self.data,
                    run_dir, waves=waves)
        return run_dir, records(job, run_dir)

    def states(self, keys):
        """After two steps of two waves: the leaves of the second join a sum that is there already,
        so that even of two their order shows."""
        runs = {p: self.train(p, 2, keys, waves=2) for p in (LEAF_ORDER, ARRIVAL)}
        return {program: state_hash(run_dir) for program, (run_dir, _) in runs.items()}

    def blocks(self, count, steps, keys):
        """Tokens a second by program, one figure a block."""
        rates = {program: [] for program in keys}
        for block in range(count):
            programs = list(rates)
            for program in programs if block % 2 == 0 else reversed(programs):
                rates[program].append(median_rate(self.train(program, steps, keys[program])[1]))
            last = [rates[p][-1] for p in programs]
            print(f"  block {block}: {last[0]:8.0f} in leaf order, {last[1]:8.0f} on arrival, "
                  f"{last[0] / last[1]:.4f}", flush=True)
        return rates


def measure(pair, precision, options, keys):
    keys = [*keys, "--precision.param", precision]
    states = pair.states(keys)
    if states[LEAF_ORDER] == states[ARRIVAL]:
        raise SystemExit(f"{ARRIVAL} ends in the state of {LEAF_ORDER}: it sums in leaf order")
    print(f"{precision}: states after two steps: {states[LEAF_ORDER]} in leaf order, "
          f"{states[ARRIVAL]} on arrival", flush=True)
    free_keys = [*keys, "--run.gemm_table", options.table.resolve()] if options.table else keys
    rates = pair.blocks(options.blocks, options.steps, {LEAF_ORDER: keys, ARRIVAL: free_keys})
    share = ratio(rates[LEAF_ORDER], rates[ARRIVAL])
    return {"precision": precision, "ranks": pair.ranks, "tokens_per_s": rates,
            "ratio": asdict(share), "text": share.text(4)}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--ranks", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=14, help="of each training")
    parser.add_argument("--precision", default="bf16,fp32")
    parser.add_argument("--data", type=Path, help="a dataset of 4,096 pieces; made where not given")
    parser.add_argument("--table", type=Path, help="a table of `ballast tune`, for ballast_arrival")
    parser.add_argument("--output", type=Path, help="the figures as JSON")
    options, keys = parser.parse_known_args()
    if options.ranks < 2:
        parser.error("--ranks: one rank has nobody to wait for")
    return options, keys


def main():
    options, keys = parse()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = options.data.resolve() if options.data else prepare(build, folder)
        pair = Pair(build, options.ranks, data, folder)
        rows = [measure(pair, p, options, keys) for p in options.precision.split(",")]
    products = f"the products of {options.table.name}" if options.table else "the same products"
    for row in rows:
        print(f"{row['precision']}, {row['ranks']} ranks: {row['text']} of the tokens/s of a build "
              f"that sums in order of arrival, with {products}")
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
