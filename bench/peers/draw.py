#!/usr/bin/env python3
"""What ballast draws, drawn once more: initial weights and the order of training windows.

usage: draw.py MODEL FILE.npy   writes all initial weights, one tensor after the other

Ballast computes both from Philox4x32-10 counters (src/base/philox.hpp), so nothing needs to be
handed over; the comparison of losses would show any difference.
"""

import sys
from pathlib import Path

import numpy as np

from shapes import SEED, SHAPES, Shape, Tensor

INIT, SHUFFLE = 1, 2  # RandomPurpose
FEISTEL_ROUNDS = 8
PIECE = 1 << 20
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)


def philox(seed: int, purpose: int, stream: int, step: int, index: np.ndarray) -> np.ndarray:
    """Four words for each counter: [len(index), 4] of uint64 below 2^32."""
    keys = [seed & 0xFFFFFFFF, (seed >> 32) ^ (purpose * 0x9E3779B9 & 0xFFFFFFFF)]
    index = index.astype(np.uint64)
    counter = [index & LOW, index >> SHIFT, np.full_like(index, stream), np.full_like(index, step)]
    for _ in range(10):
        a = np.uint64(0xD2511F53) * counter[0]
        b = np.uint64(0xCD9E8D57) * counter[2]
        counter = [
            (b >> SHIFT) ^ counter[1] ^ np.uint64(keys[0]),
            b & LOW,
            (a >> SHIFT) ^ counter[3] ^ np.uint64(keys[1]),
            a & LOW,
        ]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(counter, axis=1)


def normals(words: np.ndarray) -> np.ndarray:
    """Four standard normal values from four words (Box and Muller 1958)."""
    uniform = (words.astype(np.float64) + 0.5) / 4294967296.0
    radius = np.sqrt(-2.0 * np.log(uniform[:, 0::2]))
    angle = 2.0 * np.pi * uniform[:, 1::2]
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=2).reshape(-1)


def initial_values(tensor: Tensor, stream: int) -> np.ndarray:
    if tensor.std is None:
        return np.ones(tensor.numel, np.float32)
    values = np.empty(tensor.numel, np.float32)
    for first in range(0, tensor.numel, 4 * PIECE):
        end = min(first + 4 * PIECE, tensor.numel)
        index = np.arange(first // 4, (end + 3) // 4)
        drawn = tensor.std * normals(philox(SEED, INIT, stream, 0, index))
        values[first:end] = drawn[: end - first]
    return values


def write_weights(shape: Shape, path: Path) -> None:
    weights = np.lib.format.open_memmap(path, "w+", np.float32, (shape.parameters(),))
    start = 0
    for stream, tensor in enumerate(shape.tensors()):
        weights[start : start + tensor.numel] = initial_values(tensor, stream)
        start += tensor.numel
    weights.flush()


def weights_by_name(shape: Shape, path: Path) -> dict[str, np.ndarray]:
    """Views of a file of write_weights; copied where somebody writes."""
    weights = np.load(path, mmap_mode="c")
    views, start = {}, 0
    for tensor in shape.tensors():
        views[tensor.name] = weights[start : start + tensor.numel].reshape(tensor.shape)
        start += tensor.numel
    return views


class Sampler:
    """src/data/sampler.cpp: a permutation of the windows in each epoch."""

    def __init__(self, windows: int, seed: int = SEED):
        self.windows, self.seed = windows, seed
        self.half_bits = 1
        while self.half_bits < 31 and 1 << (2 * self.half_bits) < windows:
            self.half_bits += 1

    def window(self, cursor: int) -> int:
        epoch, value = divmod(cursor, self.windows)
        value = self._permute(epoch, value)
        while value >= self.windows:
            value = self._permute(epoch, value)
        return value

    def _permute(self, epoch: int, value: int) -> int:
        mask = (1 << self.half_bits) - 1
        left, right = value >> self.half_bits, value & mask
        for step in range(FEISTEL_ROUNDS):
            block = philox(self.seed, SHUFFLE, epoch, step, np.array([right]))
            left, right = right, left ^ (int(block[0, 0]) & mask)
        return left << self.half_bits | right


class Windows:
    """The training windows of a dataset, as numbers of the sampler address them."""

    def __init__(self, tokens: np.ndarray, segments: np.ndarray, seq_len: int, seed: int = SEED):
        self.tokens = tokens.astype(np.int64)
        self.seq_len = seq_len
        lengths = (np.diff(segments).astype(np.int64) - 1) // seq_len
        self.starts = np.concatenate(
            [int(first) + seq_len * np.arange(count) for first, count in zip(segments, lengths)]
        )
        self.sampler = Sampler(len(self.starts), seed)

    def start(self, cursor: int) -> int:
        """The first token of the window that is read at `cursor`."""
        return int(self.starts[self.sampler.window(cursor)])

    def batch(self, cursor: int, sequences: int) -> np.ndarray:
        """[sequences, seq_len + 1]: inputs, and labels one to the right."""
        starts = [self.start(cursor + row) for row in range(sequences)]
        return np.stack([self.tokens[start : start + self.seq_len + 1] for start in starts])


if __name__ == "__main__":
    write_weights(SHAPES[sys.argv[1]], Path(sys.argv[2]))
