"""Holds our training of byte-level BPE to that of the `tokenizers` package: compare_training.py TRAIN_TEXT TEXT...

TRAIN_TEXT is build/release/train_text. For each UTF-8 file: how many merges from the start are the same, the bytes a
token of both on the text, and the seconds of a processor that each took. Ends with 1 if ours needs more tokens. Long
runs of one character are left out of the text: to us they are no words, to the package one is as good as thousands.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer, pre_tokenizers, trainers
from vocabularies import document

VOCABULARY = 16_000
SPECIALS = 2


def ours(program, text):
    with tempfile.TemporaryDirectory() as folder:
        path, result = Path(folder) / "text", Path(folder) / "tokenizer.json"
        path.write_text(text, encoding="utf-8", newline="")
        command = [program, str(VOCABULARY), path, result]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return Tokenizer.from_file(str(result)), float(done.stdout)


def theirs(text):
    tokenizer = Tokenizer.from_str(json.dumps(document("llama3", {}, [], [])))
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    start = time.process_time()
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer, time.process_time() - start


def merges_of(tokenizer):
    return json.loads(tokenizer.to_str())["model"]["merges"]


def tokens_of(tokenizer, text):
    return len(tokenizer.encode_batch_fast([text], add_special_tokens=False)[0].ids)


def main(program, paths):
    worse = False
    for path in paths:
        text = re.sub(r"(.)\1{499,}", "", path.read_bytes().decode(), flags=re.DOTALL)
        (mine, seconds), (reference, their_seconds) = ours(program, text), theirs(text)
        a, b = merges_of(mine), merges_of(reference)
        same = next((i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1]), min(len(a), len(b)))
        counts = tokens_of(mine, text), tokens_of(reference, text)
        size = len(text.encode())
        print(f"{path.name}: {same} of {len(a)} and {len(b)} merges are the same; bytes a token "
              f"{size / counts[0]:.4f}, theirs {size / counts[1]:.4f}; {seconds:.1f} s, theirs {their_seconds:.1f}")
        worse |= counts[0] > counts[1]
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main(sys.argv[1], [Path(word) for word in sys.argv[2:]])
