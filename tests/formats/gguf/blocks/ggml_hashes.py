"""Writes what ggml makes of made-up numbers: ggml_hashes.py [--check] FILE.

One line for each type of blocks and each kind of numbers: TYPE WAY KIND HASH. WAY says what was
hashed: `plain`, the blocks of the numbers; `weighted`, the same with an importance for each column;
`decoded`, the numbers of random blocks. The numbers are those of block_inputs.hpp, made here a
second time. With --check the file stays as it is, and the program fails if ggml disagrees with it.

Needs numpy and libgguf (pip install libgguf==0.2.2), whose quantizers give ggml's bytes; exits with
77 where they are not installed.
"""

import argparse
import sys
from pathlib import Path

try:
    import libgguf
    import numpy as np
except ImportError as error:
    print(error)
    sys.exit(77)

ROWS, COLUMNS = 64, 768
COUNT = ROWS * COLUMNS
BLOCKS = 512  # random ones, to decode

# ggml's number, values a block, bytes a block, where its fp16 numbers are
TYPES = {
    "q4_0": (2, 32, 18, [0]),
    "q4_1": (3, 32, 20, [0, 2]),
    "q5_0": (6, 32, 22, [0]),
    "q5_1": (7, 32, 24, [0, 2]),
    "q8_0": (8, 32, 34, [0]),
    "q4_k": (12, 256, 144, [0, 2]),
    "q5_k": (13, 256, 176, [0, 2]),
    "q6_k": (14, 256, 210, [208]),
}

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mixed(z):
    """The output function of SplitMix64 (Steele, Lea & Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def words(stream, count):
    counter = np.arange(1, count + 1, dtype=np.uint64)
    return mixed((np.uint64(stream) << np.uint64(40)) + counter * GOLDEN)


def normal(stream, count):
    """Nearly normal: the sum of twelve uniform numbers, which is exact."""
    uniform = (words(stream, 12 * count) >> np.uint64(40)).astype(np.int64).reshape(count, 12)
    return uniform.sum(axis=1) / 2.0**24 - 6.0


def kinds():
    """The numbers of each kind, before they are rounded to fp32."""
    n, w, i = normal(1, COUNT), words(2, COUNT), np.arange(COUNT)
    below = lambda m: (w % np.uint64(m)).astype(np.int64)
    yield "normal", 0.02 * n
    yield "heavy", 0.02 * n * n * n
    yield "outliers", np.where(i % 97 == 0, 3.0 * n, 0.01 * n)
    yield "uniform", (w >> np.uint64(40)).astype(np.float64) / 2.0**24 - 0.5
    yield "zeros", 0.0 * (i + 1.0)
    yield "negative_zeros", -0.0 * (i + 1.0)
    yield "subnormal", np.ldexp(n, -140)
    yield "tiny", 1e-15 * n
    yield "scattered", np.ldexp(n, -below(60).astype(np.int32))
    yield "ties", 0.5 * (below(33) - 16.0)
    yield "signs", np.where(below(2) == 0, 0.25, -0.25)
    yield "equal_in_32", 0.1 * (i // 32 % 13 - 6.0)
    yield "equal_in_256", 0.1 * (i // 256 % 5 - 2.0)
    yield "positive", 1.0 + 0.01 * n
    yield "negative", -1.0 + 0.01 * n
    yield "sparse", np.where(below(20) == 0, n, 0.0)
    yield "ramp", i % 256 - 128.0
    yield "large", 9000.0 * n


def importance():
    n = normal(3, COLUMNS)
    return (n * n + 2.0**-10).astype(np.float32)


def random_blocks(kind):
    """Blocks of random bytes whose scales are finite."""
    _, _, size, scales = TYPES[kind]
    data = (words(4, BLOCKS * size) >> np.uint64(56)).astype(np.uint8).reshape(BLOCKS, size)
    for place in scales:
        data[:, place + 1] &= 0xBF
    return data


def hash_of(data):
    """Of bytes, as 64-bit words, each with its place."""
    data = np.frombuffer(data.tobytes(), np.uint8)
    padded = np.zeros(-(-data.size // 8) * 8, np.uint8)
    padded[: data.size] = data
    values = padded.view("<u8")
    places = np.arange(1, values.size + 1, dtype=np.uint64)
    return int(mixed(values + places * GOLDEN).sum(dtype=np.uint64))


def lines():
    weights = importance()
    for kind, numbers in kinds():
        rows = numbers.astype(np.float32).reshape(ROWS, COLUMNS)
        for name, (number, *_) in TYPES.items():
            plain = libgguf.quantize_rows(rows, number)
            weighted = libgguf.quantize_rows(rows, number, weights)
            yield f"{name} plain {kind} {hash_of(plain):016x}"
            yield f"{name} weighted {kind} {hash_of(weighted):016x}"
    for name, (number, *_) in TYPES.items():
        decoded = libgguf.dequantize_rows(random_blocks(name), number)
        yield f"{name} decoded random {hash_of(np.asarray(decoded, np.float32)):016x}"


def main():
    parser = argparse.ArgumentParser(description="Writes or checks hashes of ggml's blocks.")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    with np.errstate(over="ignore", under="ignore"):
        text = "".join(f"{line}\n" for line in lines())
    if not options.check:
        options.file.write_text(text, encoding="ascii")
    elif options.file.read_text(encoding="ascii") != text:
        sys.exit(f"{options.file}: ggml gives other hashes")


if __name__ == "__main__":
    main()
