#!/usr/bin/env python3
"""The same measurement as host_memory.py for PyTorch FSDP2 on gloo, with the same model.

usage: fsdp2.py [--ranks N] [--steps 4]

Run it with a Python that has torch and numpy (bench/peers/install.sh makes one); it takes no part in
the tests. Prints the most that all ranks took together in a step (proportional set size, shared pages
once), and what they took before there was a model: Python, torch, gloo.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

PEERS = Path(__file__).resolve().parents[1] / "peers"
sys.path += [str(PEERS)]
from points import Point  # noqa: E402
from runs import Length, run_peer  # noqa: E402
from shapes import Case  # noqa: E402

TOKENS = 1 << 16


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ranks", type=int, default=4)
    arguments.add_argument("--steps", type=int, default=4)
    given = arguments.parse_args()
    case = Case("100m", "fp32", tokens=128, ranks=given.ranks)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens = numpy.random.default_rng(1).integers(case.shape.vocabulary, size=TOKENS)
        numpy.savez(folder / "tokens.npz", tokens=tokens, segments=numpy.array([0, TOKENS]))
        weights = folder / "weights.npy"
        subprocess.run([sys.executable, PEERS / "draw.py", case.model, weights], check=True)
        run = run_peer(sys.executable, case, Point("fsdp2", given.ranks), folder / "tokens.npz",
                       weights, folder, Length(1, given.steps - 1), measured=True)
    print(f"FSDP2 on gloo, {case.shape.parameters():,} parameters, {given.ranks} rank(s): "
          f"{run.pss_mib:.1f} MiB on the host, {run.empty_mib:.1f} MiB of it before there was a model")


if __name__ == "__main__":
    main()
