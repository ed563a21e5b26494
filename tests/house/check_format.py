"""Holds every C++ file against .clang-format: check_format.py ROOT."""

import shutil
import subprocess
import sys
from pathlib import Path

from sources import cpp_files

FOLDERS = ["src", "tests", "bench"]


def main(root):
    # Versions differ in details: Debian 12's decides, where there are several.
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    if program is None:
        sys.exit("there is no clang-format; launch/install.sh --tests brings it")
    files = [path for folder in FOLDERS for path in cpp_files(root / folder)]
    sys.exit(subprocess.run([program, "--dry-run", "--Werror", "--style=file", *files]).returncode)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
