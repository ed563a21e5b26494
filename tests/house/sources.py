"""What the checks of this folder share: finding C++ files and looking past their comments."""

import re
import sys

SUFFIXES = {".cpp", ".hpp", ".c", ".h"}

_COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.DOTALL | re.VERBOSE
)


def cpp_files(folder):
    """C++ files under `folder`, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def code_lines(path, literals=False):
    """(number, line) of a file, with comments, and unless asked for literals, blanked out."""

    def blank(match):
        text = match.group()
        if literals and text[0] in "\"'":
            return text
        return "\n" * text.count("\n") or " "

    text = path.read_text(encoding="utf-8")
    return list(enumerate(_COMMENT_OR_LITERAL.sub(blank, text).splitlines(), start=1))


def report(violations, rule):
    """Prints the violations and ends the process: 0 when there are none."""
    for violation in violations:
        print(violation)
    print(f"{rule}: {len(violations)} violations")
    sys.exit(1 if violations else 0)
