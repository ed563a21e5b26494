"""Runs clang-tidy over the tree, as .clang-tidy says: check_tidy.py ROOT BUILD [FILE...].

BUILD has the compile_commands.json of any compiler; of its flags those of the language, include
folders, definitions and warnings are taken, so clang's warnings are findings too. Most of clang-tidy's time goes into the headers of the
standard library, so sources are read in batches, as one translation unit each. Files that give the
same name to something of their own go into different batches; if a batch is no valid C++ all the
same, its halves are read. A batch without findings is not read again while it and all that it
includes stay the same: BUILD/tidy remembers that. With FILE, only these are read, one by one.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sources import code_lines, report

FOLDERS = ("src", "tests", "bench")
BATCH = 40

_TYPE = re.compile(r"(?:enum class|class|struct|enum|union|using|typedef)\s+(\w+)\s*[={:]")
_VALUE = re.compile(r"([\w:~]+)(?:\[[^]]*\])?\s*[({=;]")
_INCLUDE = re.compile(r'^#include "(.+)"', re.MULTILINE)
_FINDING = re.compile(r"^(.+?):(\d+):\d+: (?:warning|error): .*$", re.MULTILINE)


def names_in(path, patterns):
    """What a file gives a name to, at the level of namespaces: in lines without indentation."""
    names = set()
    for _, line in code_lines(path):
        if not re.match(r"[a-zA-Z\[]", line) or re.match(r"namespace|using [\w ]+[:;]", line):
            continue
        line = line.replace("BENCHMARK_MAIN", "main")
        found = next(filter(None, (pattern.search(line) for pattern in patterns)), None)
        if found and not re.search(r"::|^const$|^noexcept$|^[A-Z_]+$", found.group(1)):
            names.add(found.group(1))
    return names


def flags_of(command):
    """What a compiler's command says about language, include folders, definitions, warnings."""
    words = iter(shlex.split(command))
    for word in words:
        if word == "-isystem":
            yield f"{word}{next(words)}"
        elif word.startswith(("-I", "-D", "-std=", "-W")) and word != "-Werror":
            yield word


def with_includes(files, root):
    """The files, and those of the tree that they include, directly or not."""
    seen = set()
    found = list(files)
    while found:
        path = found.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in _INCLUDE.findall(path.read_text(encoding="utf-8")):
            found += [place for top in FOLDERS if (place := root / top / name).is_file()]
    return sorted(seen)


class Names:
    """What the sources of a batch name, and the types that their headers do."""

    def __init__(self, path=None, root=None):
        self.own, self.types, self.included = set(), set(), set()
        if path:
            self.own = names_in(path, [_TYPE, _VALUE])
            self.types = names_in(path, [_TYPE])
            for header in with_includes([path], root):
                if header != path:
                    self.included |= names_in(header, [_TYPE])

    def clash(self, other):
        return bool(
            self.own & other.own or self.types & other.included or self.included & other.types
        )

    def add(self, other):
        self.own |= other.own
        self.types |= other.types
        self.included |= other.included


def batches_of(paths, root):
    """Lists of files, always the same for the same tree."""
    batches = []
    for path in sorted(paths):
        names = Names(path, root)
        fitting = (b for b in batches if len(b[0]) < BATCH and not names.clash(b[1]))
        files, taken = next(fitting, (None, None))
        if files is None:
            files, taken = [], Names()
            batches.append((files, taken))
        files.append(path)
        taken.add(names)
    return [files for files, _ in batches]


class Tidy:
    def __init__(self, root, build, flags):
        # Versions find different things: Debian 12's decides, where there are several.
        program = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
        if program is None:
            sys.exit("there is no clang-tidy; launch/install.sh --tests brings it")
        self.root = root
        self.memory = build / "tidy"
        self.memory.mkdir(exist_ok=True)
        self.command = [program, "--quiet", f"--config-file={root / '.clang-tidy'}"]
        # In a batch, names of one file would seem to be shadowed in another.
        self.flags = ["-xc++", *flags, "-Wno-shadow", "-Wno-unknown-warning-option"]

    def findings(self, files):
        """Lines of findings in files and in the headers that they include."""
        content = hashlib.sha256(repr((self.command, self.flags)).encode())
        rules = [self.root / ".clang-tidy", Path(__file__)]
        for path in [*rules, *with_includes(files, self.root)]:
            content.update(f"{path}\n".encode() + path.read_bytes())
        known = self.memory / content.hexdigest()
        if known.exists():
            return set()
        found = self.read(files)
        if not found:
            known.touch()
        return found

    def read(self, files):
        """The same, by clang-tidy, which reads the files as one unit."""
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "unit.cpp"
            unit.write_text("".join(f'#include "{path}"\n' for path in files))
            result = subprocess.run(
                [*self.command, str(unit), "--", *self.flags], capture_output=True, text=True
            )
        found = {match.group() for match in _FINDING.finditer(result.stdout)}
        if len(files) > 1 and any("clang-diagnostic-error" in line for line in found):
            half = len(files) // 2
            return self.read(files[:half]) | self.read(files[half:])
        if result.returncode != 0 and not found:
            found.add(f"{files[0]}: clang-tidy failed: {result.stderr.strip()}")
        return found


def main(root, build, *only):
    flags = {}
    paths = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["directory"], entry["file"])
        inside = path.is_relative_to(root) and path.relative_to(root).parts[0] in FOLDERS
        if inside and path.suffix == ".cpp":
            paths.add(path)
            # Files that are built several times differ in a definition's value: the first will do.
            for flag in flags_of(entry["command"]):
                flags.setdefault(flag.split("=")[0], flag)
    batches = [[Path(name).resolve()] for name in only] or batches_of(paths, root)
    tidy = Tidy(root, build, flags.values())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = set().union(*pool.map(tidy.findings, batches))
    report(sorted(line.replace(f"{root}/", "") for line in found), "clang-tidy")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), *sys.argv[3:])
