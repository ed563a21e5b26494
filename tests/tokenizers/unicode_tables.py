"""Writes what src/data/unicode knows of Unicode: unicode_tables.py ROOT.

Asks the `tokenizers` package (pip install tokenizers) about every code point, so that the tables hold
what that package sees: its regular expressions, its `Digits`, the words and blanks around its added
tokens and its NFC are of different versions of Unicode. Writes

    src/data/unicode/class_ranges.cpp           classes, as ranges
    src/data/unicode/decompositions.cpp         canonical decompositions and combining classes
    tests/fixtures/tokenizers/unicode.json      counts and checksums that a test holds the tables to
"""

import json
import sys
import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

CODE_POINTS = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
# The bits of src/data/unicode/character_class.hpp, in their order.
PROPERTIES = {
    "letter": r"\p{L}",
    "mark": r"\p{M}",
    "number": r"\p{N}",
    "blank": r"\s",
    "upper": r"[\p{Lu}\p{Lt}]",
    "lower": r"\p{Ll}",
    "punctuation": r"\p{P}",
    "symbol": r"\p{S}",
}
FILE = """// Written by tests/tokenizers/unicode_tables.py with tokenizers {version}: do not edit.
#include "data/unicode/{stem}.hpp"

namespace ballast::data {{

namespace {{

// clang-format off
{tables}
// clang-format on

}}  // namespace

{functions}

}}  // namespace ballast::data
"""

NFC, NFD = normalizers.NFC(), normalizers.NFD()


def matching(pattern):
    """The code points that a regular expression of one character matches."""
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    found = set()
    for begin in range(0, len(CODE_POINTS), 4096):
        part = CODE_POINTS[begin : begin + 4096]
        for _, (first, last) in split.pre_tokenize_str("".join(map(chr, part))):
            found.update(part[first:last])
    return found


def digits():
    """The code points that Digits cuts out."""
    split = pre_tokenizers.Digits(individual_digits=True)
    return {code for code in CODE_POINTS if len(split.pre_tokenize_str(f"a{chr(code)}a")) == 3}


def words():
    """The code points beside which an added token of `single_word` is not found."""
    tokenizer = Tokenizer(models.BPE(vocab={}, merges=[]))
    tokenizer.add_tokens([AddedToken("<>", single_word=True, normalized=False)])
    return {code for code in CODE_POINTS if not tokenizer.encode(f"{chr(code)}<>").ids}


def decompositions():
    """For each code point that NFD changes, but Hangul's: its first and second part (0: none)."""
    parts = {}
    for code in CODE_POINTS:
        if 0xAC00 <= code < 0xD7A4 or NFD.normalize_str(chr(code)) == chr(code):
            continue
        words_of = unicodedata.decomposition(chr(code)).split()
        assert words_of and not words_of[0].startswith("<"), hex(code)
        parts[code] = [int(word, 16) for word in words_of] + [0] * (2 - len(words_of))
    return parts


def combining_classes():
    """The canonical combining class of each code point for which it is not 0."""
    classes = {0x345: 240}
    for code in CODE_POINTS:
        own = unicodedata.combining(chr(code))
        moved = NFD.normalize_str(f"a\u0345{chr(code)}").endswith("\u0345")
        if own and moved and code != 0x345:
            classes[code] = own
    return classes


def unsafe_in_nfc(parts, classes):
    """The code points that NFC changes, moves, or may join to the one before."""
    second = {pair[1] for code, pair in parts.items() if pair[1]} | set(range(0x1161, 0x1176))
    changed = {code for code in CODE_POINTS if NFC.normalize_str(chr(code)) != chr(code)}
    return changed | set(classes) | second | set(range(0x11A8, 0x11C3))


def table(kind, name, rows):
    """An array, as many rows on a line as fit."""
    lines = [""]
    for row in rows:
        if len(lines[-1]) + len(row) > 97:
            lines.append("")
        lines[-1] += f"{{{row}}},"
    return f"constexpr {kind} {name}[] = {{\n" + "\n".join(lines) + "\n};"


def source(stem, tables):
    """The file with these tables: (kind, function, rows) each."""
    names = ["k" + function.title().replace("_", "") for _, function, _ in tables]
    return FILE.format(
        version=tokenizers.__version__,
        stem=stem,
        tables="\n".join(table(kind, name, rows) for name, (kind, _, rows) in zip(names, tables)),
        functions="\n".join(
            f"std::span<const {kind}> {function}() {{ return {name}; }}"
            for name, (kind, function, _) in zip(names, tables)
        ),
    )


def class_ranges(properties):
    """Runs of code points with the same bits: how many, and the bits."""
    bits = [0] * 0x110000
    for number, members in enumerate(properties.values()):
        for code in members:
            bits[code] |= 1 << number
    runs = []
    for value in bits:
        if not runs or runs[-1][1] != value:
            runs.append([0, value])
        runs[-1][0] += 1
    return source("class_ranges", [("ClassRange", "class_ranges", [f"{n},{bits}" for n, bits in runs])])


def decomposition_tables(parts, classes):
    composed = {code for code in parts if NFC.normalize_str(chr(code)) == chr(code)}
    pairs = [f"{code},{a},{b},{str(code in composed).lower()}" for code, (a, b) in sorted(parts.items())]
    ranks = [f"{code},{rank}" for code, rank in sorted(classes.items())]
    return source(
        "decompositions",
        [
            ("Decomposition", "decompositions", pairs),
            ("CombiningClass", "combining_classes", ranks),
        ],
    )


def checksum(data):
    """FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def normalized_samples(parts):
    """Each code point alone and beside characters that it may join or pass, and all known pairs."""
    for code in CODE_POINTS:
        char = chr(code)
        yield f"{char}\u0301a{char}\u0334\u1100{char}\u11a8{char}\u0345{char}"
    for a, b in parts.values():
        if b:
            yield f"{chr(a)}{chr(b)}\u0323{chr(a)}\u0323{chr(b)}{chr(a)}\u0327{chr(b)}"


def expected(properties, parts):
    facts = {"tokenizers": tokenizers.__version__}
    for name, members in properties.items():
        data = b"".join(code.to_bytes(3, "little") for code in sorted(members))
        facts[name] = {"count": len(members), "checksum": checksum(data)}
    samples = list(normalized_samples(parts))
    results = "\n".join(NFC.normalize_str(sample) for sample in samples)
    facts["nfc"] = {"count": len(samples), "checksum": checksum(results.encode())}
    return facts


def main(root):
    properties = {name: matching(pattern) for name, pattern in PROPERTIES.items()}
    parts, classes = decompositions(), combining_classes()
    properties |= {"digit": digits(), "word": words(), "nfc_unsafe": unsafe_in_nfc(parts, classes)}
    unicode = root / "src/data/unicode"
    (unicode / "class_ranges.cpp").write_text(class_ranges(properties))
    (unicode / "decompositions.cpp").write_text(decomposition_tables(parts, classes))
    fixture = json.dumps(expected(properties, parts), indent=1)
    (root / "tests/fixtures/tokenizers/unicode.json").write_text(fixture + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
