"""Holds exported GGUF files against llama.cpp: compare.py BALLAST FIXTURES [FOLDER...].

Every fixture, and made-up models of the families that there is no fixture of, are exported in fp32:
llama.cpp must give each token the log-probability that `ballast score` prints, to 1e-5, and
continue a text with the same 64 tokens. Models whose rows are whole blocks, and others, are
exported in every type: llama.cpp opens each of them, and is near to what Ballast computes of the
same file. Each FOLDER is a model to do the same with.

Needs xllamacpp (pip install xllamacpp==2026.10.11549); exits with 77 where it is not installed.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from llama_cpp import LlamaCpp
except ImportError as error:
    print(error)
    sys.exit(77)

from made_up_models import MODELS, write_model

EXACT = 1e-5
DEEP = 1e-4  # of models of many layers
# The largest difference of a log-probability that arithmetic in narrow types may make; and the mean.
# llama.cpp rounds what it multiplies with blocks to 8 bits; it looks up gelu in a table of fp16.
NEAR, NEAR_IN_MEAN = 0.5, 0.05
BY_TABLE = 5e-3
TYPES = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m", "q5_k_m", "q6_k"]
TOKENS = 48
CONTINUED = 64


class Failures:
    def __init__(self):
        self.count = 0

    def check(self, is_right, what):
        print(f"{'ok    ' if is_right else 'FAILED'} {what}", flush=True)
        self.count += not is_right


def run(ballast, *arguments):
    made = subprocess.run([ballast, *map(str, arguments)], capture_output=True, text=True)
    if made.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {made.stderr}")
    return made.stdout


def export(ballast, source, output, dtype):
    run(ballast, "export", "--checkpoint", source, "--format", "gguf", "--dtype", dtype,
        "--output", output)


def score(ballast, model, tokens):
    text = " ".join(map(str, tokens))
    return json.loads(run(ballast, "score", "--checkpoint", model, "--tokens", text))["logprobs"]


def generate(ballast, model, tokens, count):
    text = run(ballast, "generate", "--checkpoint", model, "--prompt-ids",
               " ".join(map(str, tokens)), "--tokens", count, "--temperature", 0)
    return [int(word) for word in text.split()]


def logprob(logits, token):
    most = max(logits)
    return logits[token] - most - math.log(sum(math.exp(logit - most) for logit in logits))


def score_by_llama_cpp(path, vocabulary, tokens):
    model = LlamaCpp(path, vocabulary)
    rows = model.feed(tokens)
    model.close()
    return [None] + [logprob(row, token) for row, token in zip(rows, tokens[1:])]


def generate_by_llama_cpp(path, vocabulary, tokens, count):
    model = LlamaCpp(path, vocabulary)
    tokens = list(tokens)
    row = model.feed(tokens)[-1]
    for _ in range(count):
        tokens.append(max(range(vocabulary), key=row.__getitem__))
        row = model.feed(tokens[-1:])[-1]
    model.close()
    return tokens


def differences(ours, theirs):
    """The largest and the mean; the first token has no log-probability."""
    each = [abs(a - b) for a, b in zip(ours[1:], theirs[1:])]
    return max(each), sum(each) / len(each)


def some_tokens(vocabulary):
    return [(7 * i * i + 3 * i + 5) % vocabulary for i in range(TOKENS)]


def compare_exactly(ballast, source, vocabulary, place, bound, failures):
    path = place / f"{source.name}-f32.gguf"
    export(ballast, source, path, "f32")
    tokens = some_tokens(vocabulary)
    ours = score(ballast, path, tokens)
    failures.check(ours == score(ballast, source, tokens),
                   f"{source.name}: the file's scores are the folder's, to the bit")
    most, _ = differences(ours, score_by_llama_cpp(path, vocabulary, tokens))
    failures.check(most <= bound, f"{source.name}: log-probabilities to {most:.1e}")
    begin = tokens[:8]
    ours = generate(ballast, path, begin, CONTINUED)
    theirs = generate_by_llama_cpp(path, vocabulary, begin, CONTINUED)
    failures.check(ours == theirs, f"{source.name}: {CONTINUED} greedy tokens")


def compare_types(ballast, source, vocabulary, place, failures):
    for dtype in TYPES:
        path = place / f"{source.name}-{dtype}.gguf"
        path.unlink(missing_ok=True)
        export(ballast, source, path, dtype)
        tokens = some_tokens(vocabulary)
        most, mean = differences(score(ballast, path, tokens),
                                 score_by_llama_cpp(path, vocabulary, tokens))
        failures.check(most <= NEAR and mean <= NEAR_IN_MEAN,
                       f"{source.name}: {dtype}, {path.stat().st_size:,} bytes, log-probabilities "
                       f"to {most:.1e}, {mean:.1e} in the mean")
        path.unlink()


def main(ballast, fixtures, folders):
    failures = Failures()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for source in sorted(Path(fixtures).iterdir()):
            config = json.loads((source / "config.json").read_text())
            if config.get("sliding_window") is not None:
                continue  # llama.cpp has no window in these architectures
            compare_exactly(ballast, source, config["vocab_size"], place, EXACT, failures)
        for model in MODELS:
            config = write_model(model, place / model)
            bound = BY_TABLE if model == "gemma2" else EXACT
            compare_exactly(ballast, place / model, config["vocab_size"], place, bound, failures)
        for model in ["llama-256", "llama-96"]:
            compare_types(ballast, place / model, 320, place, failures)
        for folder in map(Path, folders):
            vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
            compare_exactly(ballast, folder, vocabulary, place, DEEP, failures)
            compare_types(ballast, folder, vocabulary, place, failures)
    return min(failures.count, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
