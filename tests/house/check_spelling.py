"""Finds British spelling: check_spelling.py ROOT.

Identifiers, comments and documents are spelled as American English spells, as the field's own terms
are (optimizer, normalization), so that a search finds all of a thing.
"""

import re
import sys
from pathlib import Path

from sources import SUFFIXES, report

FOLDERS = ["src", "tests", "bench", "docs", "launch", "cluster", "cmake"]
DOCUMENTS = SUFFIXES | {".py", ".sh", ".md", ".txt", ".cmake", ".ini"}

BRITISH = re.compile(
    r"(final|initial|minim|normal|optim|parallel|penal|quant|random|recogn|serial|standard|summar|synchron"
    r"|token|vector)is(e|es|ed|er|ers|ing|ation|ations)(?![a-z])"
    r"|(behavi|col|fav|neighb)our|analyse(?!s)|centre|cancelled|labelled|signalled",
    re.IGNORECASE,
)


def violations(root):
    files = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))]
    return [
        f"{path.relative_to(root)}:{number}: '{match.group()}' is British"
        for path in files + sorted(root.glob("*.md"))
        if path.suffix in DOCUMENTS and path.name != Path(__file__).name
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for match in BRITISH.finditer(line)
    ]


if __name__ == "__main__":
    report(violations(Path(sys.argv[1])), "American spelling")
