"""Holds our tokens to those of the `tokenizers` package: compare.py ENCODE_TEXT FOLDER [TEXT...].

FOLDER has tokenizer.json files as vocabularies.py writes them; each TEXT is a UTF-8 file, as texts.py writes
them. ENCODE_TEXT is build/release/encode_text. For each pair: whether all ids are equal, the first place where
they are not, and MB a second of a processor, of both on one thread. Ends with 1 if anything differs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy
from tokenizers import Tokenizer


def ours(program, vocabulary, path):
    with tempfile.TemporaryDirectory() as folder:
        ids = Path(folder) / "ids"
        done = subprocess.run([program, vocabulary, path, ids], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return numpy.fromfile(ids, dtype=numpy.int32), float(done.stdout)


def theirs(tokenizer, text):
    """In one call: where a text is cut, its tokens may be others."""
    start = time.process_time()
    ids = tokenizer.encode_batch_fast([text], add_special_tokens=False)[0].ids
    return numpy.array(ids, dtype=numpy.int32), time.process_time() - start


def report(name, text, tokenizer, mine, reference):
    (a, seconds), (b, their_seconds) = mine, reference
    size = len(text.encode()) / 1e6
    speeds = f"{size / seconds:.1f} MB/s, theirs {size / their_seconds:.1f}"
    if len(a) == len(b) and (a == b).all():
        print(f"{name}: equal, {size:.1f} MB, {len(a)} tokens, {speeds}", flush=True)
        return True
    common = min(len(a), len(b))
    unequal = numpy.nonzero(a[:common] != b[:common])[0]
    at = int(unequal[0]) if len(unequal) else common
    print(f"{name}: DIFFERENT at token {at} of {len(a)} and {len(b)}")
    for what, ids in (("ours", a), ("theirs", b)):
        print(f"  {what}: {[tokenizer.id_to_token(int(id)) for id in ids[max(0, at - 4) : at + 4]]}", flush=True)
    return False


def texts_of_llama_cpp(program, vocabulary, tokenizer, path):
    """llama.cpp's own test texts, one by one: three programs' ids."""
    agree = 0
    cases = json.loads(path.read_text())
    with tempfile.TemporaryDirectory() as folder:
        for text, _ in cases:
            file = Path(folder) / "text"
            file.write_text(text, encoding="utf-8", newline="")
            mine, _ = ours(program, vocabulary, file)
            agree += list(mine) == tokenizer.encode(text, add_special_tokens=False).ids
    print(f"{vocabulary.stem}: {agree} of {len(cases)} test texts of llama.cpp as the package has them")
    return agree == len(cases)


def main(program, folder, paths):
    equal = True
    for vocabulary in sorted(folder.glob("*.json")):
        if vocabulary.name.endswith(".texts.json"):
            continue
        tokenizer = Tokenizer.from_file(str(vocabulary))
        cases = vocabulary.with_suffix(".texts.json")
        if cases.exists():
            equal &= texts_of_llama_cpp(program, vocabulary, tokenizer, cases)
        for path in paths:
            text = path.read_bytes().decode()
            name = f"{vocabulary.stem}, {path.name}"
            reference = theirs(tokenizer, text)
            equal &= report(name, text, tokenizer, ours(program, vocabulary, path), reference)
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(word) for word in sys.argv[3:]])
