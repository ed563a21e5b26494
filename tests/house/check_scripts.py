"""Holds every shell script against shellcheck: check_scripts.py ROOT."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDERS = [".ci", "cluster", "launch", "tests"]


def is_script(path):
    return path.is_file() and re.match(rb"#!.*\b(ba)?sh\b", path.read_bytes()[:80]) is not None


def main(root):
    if shutil.which("shellcheck") is None:
        sys.exit("there is no shellcheck; launch/install.sh --tests brings it")
    scripts = sorted(p for folder in FOLDERS for p in (root / folder).rglob("*") if is_script(p))
    print(f"{len(scripts)} scripts")
    # What a script sources is named from the root.
    sys.exit(subprocess.run(["shellcheck", "-x", *scripts], cwd=root).returncode)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
