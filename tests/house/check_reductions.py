"""Finds MPI reductions: check_reductions.py ROOT.

MPI may add numbers in any order, and another one at another rank count, so the same training would
not end in the same bits. Sums over ranks are made by src/comm (integers) and src/fsdp (leaves, in
order). Benchmarks may use the real ones, to compare with them.
"""

import re
import sys
from pathlib import Path

from sources import code_lines, cpp_files, report

FOLDERS = ["src", "tests"]

REDUCTION = re.compile(
    r"\bP?MPI_(I?(Reduce|Allreduce|Reduce_scatter|Reduce_scatter_block|Scan|Exscan)(_init)?(_c)?"
    r"|Reduce_local(_c)?|R?(Accumulate|Get_accumulate)(_c)?|Rget_accumulate(_c)?|Fetch_and_op"
    r"|Op_create(_c)?)\b",
    re.IGNORECASE,
)


def violations(root):
    return [
        f"{path.relative_to(root)}:{number}: {match.group()} is banned outside bench/"
        for folder in FOLDERS
        for path in cpp_files(root / folder)
        for number, line in code_lines(path)
        for match in REDUCTION.finditer(line)
    ]


if __name__ == "__main__":
    report(violations(Path(sys.argv[1])), "MPI reductions")
