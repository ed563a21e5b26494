"""Holds the house against its arrows: check_arrows.py ROOT.

Every #include in src/, and every DEPENDS in src/*/CMakeLists.txt, must follow an arrow (a folder
uses only those below it); the headers of MPI, HDF5 and SentencePiece stay in the one place that
wraps each of them, and MPI_COMM_WORLD has no name outside comm.
"""

import re
import sys
from pathlib import Path

from sources import code_lines, cpp_files, report

# A folder, and those it uses; what these use, it may use too.
ARROWS = {
    "base": [],
    "tensor": ["base"],
    "kernels": ["tensor"],
    "model": ["kernels"],
    "comm": ["base"],
    "fsdp": ["model", "comm"],
    "optim": ["kernels"],
    "monitor": ["kernels", "comm"],
    "storage": ["base"],
    "formats": ["model", "data"],
    "data": ["storage"],
    "checkpoint": ["fsdp", "optim", "comm", "storage"],
    "train": ["fsdp", "optim", "monitor", "data", "checkpoint", "formats"],
    "report": ["storage"],
    "calibrate": ["monitor", "storage"],
    "cli": ["train", "report", "calibrate"],
}

# Outside headers with one home: files of src/ whose path begins so.
HOMES = {
    r"mpi\.h": "comm/",
    r"(hdf5(_hl)?|H5\w+)\.h": "storage/h5/writer",
    r"sentencepiece\w*\.h|sentencepiece/.*": "data/",
    r"cblas\.h|(oneapi/dnnl/)?dnnl\w*\.h(pp)?|(oneapi/)?dnnl/.*": "kernels/",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def reachable(folder):
    """`folder` and everything below it."""
    return {folder}.union(*(reachable(used) for used in ARROWS[folder]))


def check_include(place, quote, name, root):
    """What is wrong with an #include in a file, or None. `place`: its path in src/."""
    for header, home in HOMES.items():
        if re.fullmatch(header, name) and not place.as_posix().startswith(home):
            return f"only {home.rstrip('/')} may include {name}"
    folder = place.parts[0]
    first = Path(name).parts[0]
    if quote == "<":
        return f"{name} is ours: include it with quotes" if first in ARROWS else None
    if not (root / "src" / name).is_file():
        return f'"{name}" is no file of src/; includes are written "folder/file.hpp"'
    if first not in reachable(folder):
        return f"{folder} must not use {first}"
    return None


def check_file(path, folder, root):
    place = path.relative_to(root)
    for number, line in code_lines(path, literals=True):
        include = INCLUDE.match(line)
        problem = include and check_include(place.relative_to("src"), *include.groups(), root)
        if problem:
            yield f"{place}:{number}: {problem}"
    for number, line in code_lines(path):
        if folder != "comm" and re.search(r"\bMPI_COMM_(WORLD|SELF)\b", line):
            yield f"{place}:{number}: MPI_COMM_WORLD has no name outside comm"


def check_targets(path, folder, root):
    """The DEPENDS of the folder's ballast_library()."""
    for depends in re.findall(r"ballast_library\([^)]*?\bDEPENDS\s+([a-z_\s]+)", path.read_text()):
        for used in depends.split():
            if used not in reachable(folder):
                yield f"{path.relative_to(root)}: {folder} must not depend on {used}"


def violations(root):
    found = []
    for folder in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        if folder.name not in ARROWS:
            found.append(f"src/{folder.name}: no arrows; add the folder to {Path(__file__).name}")
            continue
        for path in cpp_files(folder):
            found.extend(check_file(path, folder.name, root))
        found.extend(check_targets(folder / "CMakeLists.txt", folder.name, root))
    return found


if __name__ == "__main__":
    report(violations(Path(sys.argv[1])), "arrows between folders")
