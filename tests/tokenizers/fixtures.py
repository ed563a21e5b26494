"""Writes tests/fixtures/tokenizers: fixtures.py ROOT.

A small vocabulary for each known pre-tokenizer, trained by the `tokenizers` package on this project's own
documents, NAME.json, and the ids that the package gives for some texts, NAME.cases.json: [text, ids] each; and
the pieces that each pre-tokenizer cuts texts into, pieces.json.
"""

import json
import random
import sys
from pathlib import Path

from texts import made_up_pieces
from tokenizers import AddedToken, Tokenizer, pre_tokenizers, trainers
from vocabularies import CHARACTER_ROWS, MARK, ROWS, character_document, document

MERGES = 280
ADDED = [
    AddedToken("<|begin|>", special=True, normalized=False),
    AddedToken("<|end|>", special=True, normalized=False),
    AddedToken("<|end|>s", special=False, normalized=False),
    AddedToken("<wide>", lstrip=True, rstrip=True, normalized=False),
    AddedToken("<left>", lstrip=True, normalized=True),
    AddedToken("word", single_word=True, normalized=False),
    AddedToken("caf\u00e9", normalized=True),
    AddedToken("\n\n\n", normalized=False),
]
# Texts with a reason, before those that dice make up.
TEXTS = [
    "",
    " ",
    "Hello, world! It's the year 2024.",
    "  two  spaces\tand\ttabs \t \n\n  \r\n end  ",
    "I'M don't WE'LL they've 'S 'ſ 'lL ''s x'd",
    "a\u0301e\u0323\u0307 \u1112\u1161\u11ab \uac00\u11a8 \u2126\u212b caf\u00e9 cafe\u0301",
    "1 22 333 4444 55555 \u0661\u0662 \u2167 \u00bd 12,345.67",
    "camelCase HTTPServer \u01c5ab ABCdefGHI \u02b0\u02b0A \u0301A",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0928\u092e\u0938\u094d\u0924\u0947 \u05e9\u05dc\u05d5\u05dd",
    "\U0001f469\u200d\U0001f680\ufe0f \U0001f1e9\U0001f1ea!",
    "x = {'a': [1, 2]}; // path/to//file\n/* */\n\n\n\n#",
    "<|begin|>text<|end|><|end|>s <|end|>st <|begin",
    "a  <wide>  b<wide><wide> \n<left>  c <left><wide>\u3000\u00a0<left>",
    "word words sword word. (word) word-word \u0301word wordword _word",
    "\n\n\n\n\n\n\n x\n\n\ny",
    "\u00a0\u2003x\u2028y\u0085z \u180e \u200b",
    "a" * 100,
    " " * 60 + "b",
    "ab" * 90 + "\u0301" * 30,
    "\x01\x02\x7f \x1b[0m",
    "x'\u017fy x'Sy x'lLy x'REy x'r x'vEy x'sy x'lly x'\u1e9ey X'Ly",
    "\u0301'sA aB'sC AB'dE a\u0301'tb 1's \u2167's",
    " \n \n  x\t\n\r\n  \n",
]


def tokenizer_of(row, sources):
    empty = Tokenizer.from_str(json.dumps(document(row, {}, [], [])))
    trainer = trainers.BpeTrainer(
        vocab_size=256 + MERGES, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    empty.train_from_iterator(sources, trainer)
    empty.add_tokens(ADDED[2:])
    empty.add_special_tokens(ADDED[:2])
    return empty


def character_tokenizer_of(row, sources):
    """Merges may reach over spaces where the pre-tokenizer lets them, as those of published ones do not."""
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    vocab = {token: id for id, token in enumerate(specials)}
    empty = Tokenizer.from_str(json.dumps(character_document(row, vocab, [], [])))
    lines = [line for source in sources for line in source.splitlines(keepends=True)]
    trainer = trainers.BpeTrainer(
        vocab_size=len(specials) + 80 + MERGES, limit_alphabet=80, special_tokens=specials, show_progress=False
    )
    empty.train_from_iterator(lines, trainer)
    model = json.loads(empty.to_str())["model"]
    added = [(id, token, True) for id, token in enumerate(specials[:3])]
    tokenizer = Tokenizer.from_str(json.dumps(character_document(row, model["vocab"], model["merges"], added)))
    tokenizer.add_tokens([token for token in ADDED[2:] if token.content not in model["vocab"]])
    tokenizer.add_special_tokens(ADDED[:2])
    return tokenizer


def cases(tokenizer):
    """Texts and their ids. The same texts for each tokenizer."""
    dice = random.Random(7)
    pieces = made_up_pieces(dice, 240)
    texts = TEXTS + ["".join(pieces[i : i + 6]) for i in range(0, len(pieces), 6)]
    return [[text, tokenizer.encode(text, add_special_tokens=False).ids] for text in texts]


def pieces(row):
    """What the pre-tokenizer makes of texts."""
    pre_tokenizer = Tokenizer.from_str(json.dumps(document(row, {}, [], []))).pre_tokenizer
    dice = random.Random(9)
    parts = made_up_pieces(dice, 100)
    texts = TEXTS + ["".join(parts[i : i + 5]) for i in range(0, len(parts), 5)]
    cut = lambda text: [text[begin:end] for _, (begin, end) in pre_tokenizer.pre_tokenize_str(text)]
    return [[text, cut(text)] for text in texts if text]


def main(root):
    folder = root / "tests/fixtures/tokenizers"
    sources = [(root / name).read_text() for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "src/base/json.cpp")]
    sources += TEXTS
    (folder / "pieces.json").write_text(json.dumps({row: pieces(row) for row in ROWS}) + "\n")
    small = {row: tokenizer_of(row, sources) for row in ROWS}
    small |= {row: character_tokenizer_of(row, sources) for row in CHARACTER_ROWS}
    for row, tokenizer in small.items():
        for name, value in ((row, json.loads(tokenizer.to_str())), (f"{row}.cases", cases(tokenizer))):
            text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
            (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
