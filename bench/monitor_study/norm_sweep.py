#!/usr/bin/env python3
"""The spectrum before the first step, norm by norm, beside the paper's table 1.

usage: norm_sweep.py --build BUILD --data FILE.h5 --docs DOCS

Runs `ballast monitor profile` for every norm that Ballast builds, at several initial scales and
sizes, and BUILD/gpt_spectra, a GPT-shaped network in double with the paper's
six ways to normalize. Writes DOCS/monitor-profile.md. FILE.h5: bytes, as `ballast prepare` makes
them of the King James Bible. Trains nothing; takes a few minutes on one core.
"""

import argparse
import sys
from pathlib import Path

from initial_profiles import run_all
from norm_report import markdown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--docs", type=Path, required=True)
    options = parser.parse_args()
    ours, gpt = run_all(options.build, options.data, lambda text: print(text, flush=True))
    (options.docs / "monitor-profile.md").write_text(markdown(ours, gpt))
    return 0


if __name__ == "__main__":
    sys.exit(main())
