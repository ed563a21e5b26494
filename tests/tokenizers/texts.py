"""Text that nobody tuned a tokenizer on: texts.py FOLDER [MEGABYTES].

Takes manual pages, dictionaries and guides in many languages out of Debian packages (apt-get download, nothing is
installed), sources and documents of this machine, and makes up what no text has: random code points, marks in any
order, emoji of several parts, blanks of all kinds, contractions in all cases. Writes them as UTF-8 files, the real
ones to FOLDER/real.txt (at most MEGABYTES, 60), the made-up ones to FOLDER/made_up.txt.
"""

import gzip
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

PACKAGES = """
manpages-ja manpages-zh manpages-ru manpages-uk manpages-de manpages-fr manpages-pl manpages-vi manpages-el
manpages-tr manpages-dev bible-kjv-text hunspell-ko hunspell-ar hunspell-he hunspell-hi hunspell-el hunspell-vi
hunspell-th hunspell-bn hunspell-gu hunspell-te hunspell-hu hunspell-bo hunspell-ml hunspell-kk aspell-ta
debian-reference-ja debian-reference-zh-cn debian-faq-ko debian-faq-ru python3-doc unicode-data
""".split()
FOLDERS = ["/usr/include", "/usr/share/doc", "/usr/lib/python3", "/usr/share/perl", "/usr/share/locale"]
MOST_OF_A_FILE = 400_000
MOST_OF_A_PACKAGE = 3_000_000


def packages(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        if not list(folder.glob(f"{name}_*")):
            subprocess.run(["apt-get", "-q", "download", name], cwd=folder, capture_output=True)
    for archive in sorted(folder.glob("*.deb")):
        place = folder / archive.name.split("_")[0]
        if not place.exists():
            subprocess.run(["dpkg-deb", "-x", archive, place], check=True)
        yield place


def text_of(path):
    """A file's text, or none where it is no UTF-8."""
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        return data[:MOST_OF_A_FILE].decode("utf-8", errors="ignore" if len(data) > MOST_OF_A_FILE else "strict")
    except (OSError, EOFError, UnicodeDecodeError, ValueError):
        return ""


def texts_in(folder, most):
    size = 0
    for path in sorted(Path(folder).rglob("*")):
        text = text_of(path) if path.is_file() and not path.is_symlink() else ""
        if "\0" in text:
            continue
        size += len(text)
        yield text
        if size > most:
            return


def real(folder, most):
    text = []
    for place in packages(folder / "packages"):
        text += texts_in(place, MOST_OF_A_PACKAGE)
    for place in FOLDERS:
        text += texts_in(place, most // 5)
    return "".join(text).encode()[:most].decode(errors="ignore")


CODES = [code for code in range(1, 0x110000) if not 0xD800 <= code <= 0xDFFF]
ASSIGNED = [code for code in CODES if unicodedata.category(chr(code)) not in ("Cn", "Co")]


def made_up_pieces(dice, count):
    """Pieces of text that no text has, one after the other."""
    codes, assigned = CODES, ASSIGNED
    kinds = {}
    for code in assigned:
        kinds.setdefault(unicodedata.category(chr(code)), []).append(code)
    emoji = [chr(code) for code in assigned if 0x1F300 <= code <= 0x1FAFF]
    blanks = [" ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u3000", "\u2028", "\u0085", "\u200b", "\x0b", "\x1c"]
    parts = ["'s", "'S", "'\u017f", "'ll", "'LL", "'lL", "'Ve", "'r", "'re", "'d", "''", "'", "don't", "I'M", "_", "/", "//\n"]

    def chars(pool, most):
        return "".join(chr(dice.choice(pool)) for _ in range(dice.randint(1, most)))

    def piece():
        which = dice.randrange(12)
        if which == 0:
            return chars(codes, 4)
        if which == 1:
            return chars(assigned, 12)
        if which == 2:
            return chars(kinds[dice.choice(sorted(kinds))], 9)
        if which == 3:
            return "\u200d".join(dice.choices(emoji, k=dice.randint(1, 4))) + dice.choice(["", "\ufe0f"])
        if which == 4:
            return "".join(dice.choices(blanks, k=dice.randint(1, 9)))
        if which == 5:
            return dice.choice("aA\u00e9\u00df\u1e9e\u01c5\u02b0\u4e2d9 ") + chars(kinds["Mn"], 5)
        if which == 6:
            return dice.choice(parts)
        if which == 7:
            return "".join(dice.choices("aAbB\u00c9\u00e9\u01c5\u02b0\u00aa\u0301\u0345'", k=dice.randint(1, 14)))
        if which == 8:
            return unicodedata.normalize("NFD", chars(range(0xAC00, 0xD7A4), 4)) + chars(range(0x1100, 0x1200), 3)
        if which == 9:
            return str(dice.randrange(10 ** dice.randint(1, 12)))
        if which == 10:
            return dice.choice(["a", " ", "\n", "!", "1", "\u0301", "A", "'s"]) * dice.randint(1, 300)
        return dice.choice(["the", "The", "THE", " of", "camelCase", "HTTPServer", "<|im_start|>", "<s>", "###"])

    return [piece() for _ in range(count)]


def main(folder, most):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "real.txt").write_text(real(folder, most), encoding="utf-8", newline="")
    made_up = "".join(made_up_pieces(random.Random(1), 300_000))
    (folder / "made_up.txt").write_text(made_up, encoding="utf-8", newline="")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2] if len(sys.argv) > 2 else 60) * 1_000_000)
